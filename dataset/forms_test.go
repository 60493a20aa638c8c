package dataset

import (
	"errors"
	"testing"
)

func TestUnwrap(t *testing.T) {
	for body, want := range map[string]struct {
		rows    string
		form    Form
		wrapped bool
	}{
		`{"columns":["a"],"data":[[1]]}`:                       {`{"columns":["a"],"data":[[1]]}`, FormSplit, false},
		`{"dataframe_split":{"columns":["a"],"data":[[1]]}}`:   {`{"dataframe_split":{"columns":["a"],"data":[[1]]}}`, FormSplit, true},
		` {"instances": [[1, NaN]] }`:                          {`[[1, NaN]]`, FormRows, true}, //nolint:gocritic // space is allowed around JSON
		`{"params":{"x":[1]},"inputs":[{"a":1}]}`:              {`[{"a":1}]`, FormRecords, true},
		`{"signature_name":"x","dataframe_records":[{"a":1}]}`: {`[{"a":1}]`, FormRecords, true},
		"\uFEFF[{\"a\":1}]":                                    {`[{"a":1}]`, FormRecords, false},
		`[[1,2]]`:                                              {`[[1,2]]`, FormRows, false},
		`[]`:                                                   {`[]`, FormRecords, false},
		`{}`:                                                   {`{}`, FormSplit, false},
	} {
		u, err := Unwrap([]byte(body))
		if err != nil || string(u.Rows) != want.rows || u.Form != want.form || u.Wrapped != want.wrapped {
			t.Errorf("%s: %q %d %v, %v", body, u.Rows, u.Form, u.Wrapped, err)
		}
	}
	for _, body := range []string{"", "1", `{"instances":1}`, `{"inputs":{"a":[1]}}`, `{"instances":[1`, `{"instances":[],"inputs":[]}`, `{"instances":[]}x`} {
		if u, err := Unwrap([]byte(body)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: %q, %v; want ErrSyntax", body, u.Rows, err)
		}
	}
}

func TestAppendCSV(t *testing.T) {
	two := func(n int) ([]string, error) {
		if n != 2 {
			return nil, ErrColumn
		}
		return []string{"a", "b"}, nil
	}
	for text, want := range map[string]string{
		"x,y\n1,2.5\n":              `{"columns":["x","y"],"data":[[1,2.5]]}`,
		"1,2\r\n-3e5,\r\n":          `{"columns":["a","b"],"data":[[1,2],[-3e5,""]]}`,
		"\"q,\"\"\",y\n01,NaN":      `{"columns":["q,\"","y"],"data":[["01","NaN"]]}`,
		"x,y\n":                     `{"columns":["x","y"],"data":[]}`,
		"\uFEFFx,y\n\n\"a\nb\",tcp": `{"columns":["x","y"],"data":[["a\nb","tcp"]]}`,
	} {
		if got, err := AppendCSV(nil, []byte(text), two, Limits{}); err != nil || string(got) != want {
			t.Errorf("%q: %s, %v\nwant %s", text, got, err, want)
		}
	}
	for text, want := range map[string]error{
		"": ErrSyntax, "1,2,3": ErrColumn, "x,y\n1": ErrSyntax, "x,y\n1,\xff": ErrSyntax, "x,\"y\n1": ErrSyntax, "1,2\n3,4\n5,6": ErrLimit,
	} {
		if got, err := AppendCSV(nil, []byte(text), two, Limits{Rows: 2}); !errors.Is(err, want) {
			t.Errorf("%q: %s, %v; want %v", text, got, err, want)
		}
	}
}

func FuzzForms(f *testing.F) {
	for _, seed := range []string{`{"instances":[[1,2]]}`, "x,y\n1,2\n", "1,\"a\"\"b\"\n", `[{"a":1}]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(_ *testing.T, text []byte) {
		_, _ = Unwrap(text)
		_, _ = AppendCSV(nil, text, func(n int) ([]string, error) { return make([]string, n), nil }, Limits{})
	})
}
