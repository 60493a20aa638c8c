package dataset_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"mlids/dataset"
	"mlids/feature"
)

// All of these are the same two rows.
var splitForms = map[string]string{
	"plain":         `{"columns":["pkts","rate","proto","label"],"data":[[1,0.5,6,"a"],[2,1.5,17,"b"]]}`,
	"index":         `{"columns":["pkts","rate","proto","label"],"index":[0,"x"],"data":[[1,0.5,6,"a"],[2,1.5,17,"b"]]}`,
	"levels":        `{"index":[[0,1],[0,2]],"columns":["pkts","rate","proto","label"],"data":[[1,0.5,6,"a"],[2,1.5,17,"b"]]}`,
	"data first":    `{"data":[[1,0.5,6,"a"],[2,1.5,17,"b"]],"index":[0,1],"columns":["pkts","rate","proto","label"]}`,
	"wrapped":       `{"dataframe_split":{"columns":["pkts","rate","proto","label"],"data":[[1,0.5,6,"a"],[2,1.5,17,"b"]]},"params":{"a":[1,{}]}}`,
	"spaces":        "\uFEFF { \"columns\" : [ \"pkts\" , \"rate\",\"proto\"\n,\t\"label\" ] , \"data\" : [ [ 1 , 0.5 ,6, \"a\" ] , [ 2 ,1.5,17 ,\"b\" ] ] } \n",
	"text":          `{"columns":["Tot Pkts","Pkts/s","Proto","Label"],"data":[["1","0.5","6"," a "],["2"," 1.5","17.0","b"]]}`,
	"other order":   `{"columns":["label","proto","rate","pkts","more"],"data":[["a","6",0.5,1,null],["b","17",1.5,2.0,"x\ny"]]}`,
	"escapes":       `{"\u0063olumns":["p\u006bts","rate","proto","label"],"data":[[1,"\u0030.5",6,"\u0061"],[2,15e-1,17,"b"]]}`,
	"repeated text": `{"columns":["pkts","rate","proto","label","x"],"data":[[1,0.5,6,"a","\"]"],[2,1.5,17,"b","[[\\\\"]]}`,
}

func checkTwoRows(t *testing.T, table *dataset.Table, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if !same(table.Columns[pkts], []float32{1, 2}) || !same(table.Columns[rate], []float32{0.5, 1.5}) ||
		!same(table.Columns[proto], []float32{0, 1}) || !slices.Equal(labels(table), []string{"a", "b"}) {
		t.Errorf("got %v, labels %q", table.Columns, labels(table))
	}
}

func TestSplitForms(t *testing.T) {
	for name, text := range splitForms {
		t.Run(name, func(t *testing.T) {
			table, err := dataset.ReadSplit(t.Context(), strings.NewReader(text), small(t), dataset.Options{})
			checkTwoRows(t, table, err)
			table, err = dataset.ReadSplit(t.Context(), iotest.OneByteReader(strings.NewReader(text)), small(t), dataset.Options{})
			checkTwoRows(t, table, err)

			d, err := dataset.NewSplitDecoder(small(t), small(t).Inputs(false), dataset.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time it knows the columns
				rows, err := d.Decode([]byte(text))
				if err != nil {
					t.Fatal(err)
				}
				// pkts, rate, proto=6, proto=17, proto=icmp, late
				want := []float32{1, 0.5, 1, 0, 0, nan, 2, 1.5, 0, 1, 0, nan}
				if rows.N != 2 || !same(rows.X, want) {
					t.Errorf("got %v; want %v", rows.X, want)
				}
			}
		})
	}
}

func TestSplitDecoderKeepsText(t *testing.T) {
	d, err := dataset.NewSplitDecoder(small(t), small(t).Inputs(false), dataset.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := d.Decode([]byte(`{"data":[[1, 2,"6",""],[3,4,"x",[]]],"columns":["pkts", "rate","proto","zz"]}`))
	if !errors.Is(err, dataset.ErrValue) {
		t.Fatalf("got %v, %v; want ErrValue for the nested value", rows, err)
	}
	rows, err = d.Decode([]byte(`{"data":[[1, 2,"6",""],[3,4,null,"]"]],"columns":["pkts", "rate","proto","zz"]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(rows.RawColumns()); got != `["pkts", "rate","proto","zz"]` {
		t.Errorf("columns are %s", got)
	}
	if a, b := string(rows.Raw(0)), string(rows.Raw(1)); a != `[1, 2,"6",""]` || b != `[3,4,null,"]"]` {
		t.Errorf("rows are %s and %s", a, b)
	}
	if !slices.Equal(rows.Ignored, []string{"zz"}) || !same(rows.X[8:11], []float32{nan, nan, nan}) {
		t.Errorf("ignored %q, vectors %v", rows.Ignored, rows.X)
	}
}

func TestSplitWithoutRows(t *testing.T) {
	d, err := dataset.NewSplitDecoder(small(t), small(t).Inputs(false), dataset.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"columns":[],"index":[],"data":[]}`, `{"columns":["pkts","rate","proto"],"data":[]}`, `{"data":[],"columns":[]}`} {
		rows, err := d.Decode([]byte(body))
		if err != nil || rows.N != 0 || len(rows.X) != 0 {
			t.Errorf("%s: %v, %v", body, rows, err)
		}
	}
	table, err := dataset.ReadSplit(t.Context(), strings.NewReader(`{"columns":["pkts","rate","proto"],"data":[]}`), small(t), dataset.Options{})
	if err != nil || table.Len() != 0 || !table.Has(pkts) {
		t.Errorf("got %v, %v", table, err)
	}
}

func TestSplitValues(t *testing.T) {
	text := `{"columns":["pkts","rate","proto"],"data":[[null,"Infinity",null],[NaN,-Infinity,"tcp"],[true,"",6.0],[-0.0,1e99,"icmp"],[Infinity,false,17]]}`
	table, err := dataset.ReadSplit(t.Context(), strings.NewReader(text), small(t), dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const most = math.MaxFloat32
	for column, want := range map[int][]float32{
		pkts: {nan, nan, 1, 0, nan}, rate: {nan, nan, nan, most, 0}, proto: {nan, -1, 0, 2, 1},
	} {
		if !same(table.Columns[column], want) {
			t.Errorf("column %d is %v; want %v", column, table.Columns[column], want)
		}
	}
}

func TestSplitJSONRefuses(t *testing.T) {
	const head = `{"columns":["pkts","rate","proto"],"data":[`
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for _, c := range []struct {
		name, text string
		want       error
		say        string
	}{
		{"nothing", "", dataset.ErrSyntax, "no text; want a JSON object"},
		{"spaces", " \n", dataset.ErrSyntax, "no text"},
		{"an array", "[]", dataset.ErrSyntax, `unexpected "[]"; want {`},
		{"text", "hello", dataset.ErrSyntax, "want {"},
		{"NUL", "\x00", dataset.ErrSyntax, ""},
		{"no columns", `{"data":[]}`, dataset.ErrSyntax, `no "columns"`},
		{"no data", `{"columns":["pkts","rate","proto"]}`, dataset.ErrSyntax, `no "data"`},
		{"cut off", head + `[1,2`, dataset.ErrSyntax, "unexpected end of JSON at byte"},
		{"cut off in data before columns", `{"data":[[1,2],[`, dataset.ErrSyntax, "unexpected end"},
		{"other name", `{"columns":["pkts","rate","proto"],"rows":[]}`, dataset.ErrSyntax, `unexpected name "rows"; want columns, index and data`},
		{"columns twice", `{"columns":["pkts","rate","proto"],"columns":[],"data":[]}`, dataset.ErrSyntax, `"columns" is given twice`},
		{"twice by wrapper", `{"columns":["pkts","rate","proto"],"dataframe_split":{"columns":[],"data":[]}}`, dataset.ErrSyntax, "beside"},
		{"twice behind wrapper", `{"dataframe_split":{"columns":["pkts","rate","proto"],"data":[]},"data":[]}`, dataset.ErrSyntax, "twice"},
		{"garbage", head + `]} x`, dataset.ErrSyntax, "behind the end"},
		{"second document", head + `]}{}`, dataset.ErrSyntax, "behind the end"},
		{"trailing comma", head + `[1,2,"6"],]}`, dataset.ErrSyntax, "want an array of 3 values"},
		{"trailing comma in row", head + `[1,2,"6",]]}`, dataset.ErrSyntax, "row 1 (data[0]): malformed input: more than 3 values"},
		{"no comma", head + `[1 2,"6"]]}`, dataset.ErrSyntax, "column pkts: malformed input: unexpected"},
		{"short row", head + `[1,2,"6"],[1,2]]}`, dataset.ErrSyntax, "row 2 (data[1]): malformed input: 2 values; want 3"},
		{"empty row", head + `[]]}`, dataset.ErrSyntax, "0 values; want 3"},
		{"long row", head + `[1,2,"6",7]]}`, dataset.ErrSyntax, "more than 3 values"},
		{"row is an object", head + `{}]}`, dataset.ErrSyntax, "want an array of 3 values"},
		{"row is a number", head + `1]}`, dataset.ErrSyntax, "want an array"},
		{"data is an object", `{"columns":["pkts","rate","proto"],"data":{}}`, dataset.ErrSyntax, "want ["},
		{"nested value", head + `[1,[2],"6"]]}`, dataset.ErrValue, "row 1 (data[0]): column rate: wrong value: a nested value"},
		{"text for a number", head + `[1,"x","6"]]}`, dataset.ErrValue, `row 1 (data[0]): column rate: wrong value: "x" is not a number`},
		{"leading zero", head + `[1,02,"6"]]}`, dataset.ErrSyntax, "not a number of JSON"},
		{"bare point", head + `[1,.5,"6"]]}`, dataset.ErrSyntax, "want a value"},
		{"point without digits", head + `[1,5.,"6"]]}`, dataset.ErrSyntax, "not a number of JSON"},
		{"plus", head + `[1,+5,"6"]]}`, dataset.ErrSyntax, "want a value"},
		{"minus", head + `[1,-,"6"]]}`, dataset.ErrSyntax, "want a value"},
		{"word", head + `[1,nil,"6"]]}`, dataset.ErrSyntax, "want a value"},
		{"control character", head + "[1,\"\n\",\"6\"]]}", dataset.ErrSyntax, "control character"},
		{"escape", head + `[1,"\x","6"]]}`, dataset.ErrSyntax, "string"},
		{"not UTF-8", head + "[1,\"\xff\",\"6\"]]}", dataset.ErrSyntax, "UTF-8"},
		{"column not a string", `{"columns":["pkts",1],"data":[]}`, dataset.ErrSyntax, `columns[1] is "1],`},
		{"missing columns", `{"columns":["rate"],"data":[[1]]}`, dataset.ErrColumn, "2 missing columns: pkts, proto"},
		{"no columns", `{"columns":[],"data":[[]]}`, dataset.ErrColumn, "3 missing columns"},
		{"column twice", `{"columns":["pkts","rate","proto","pkts"],"data":[[1,2,6,1]]}`, dataset.ErrColumn, "are both column pkts"},
		{"short index", `{"columns":["pkts","rate","proto"],"index":[],"data":[[1,2,6]]}`, dataset.ErrSyntax, "index has 0 entries for 1 rows"},
		{"too deep", `{"columns":["pkts","rate","proto"],"index":` + deep + `,"data":[]}`, dataset.ErrSyntax, "nested more than 32 deep"},
		{"too deep in params", `{"params":` + deep + `}`, dataset.ErrSyntax, "nested more than 32 deep"},
		{"rows", head + strings.Repeat(`[1,2,6],`, 8) + `[1,2,6]]}`, dataset.ErrLimit, "more than 8 rows"},
		{"columns", `{"columns":["pkts","rate","proto","a","b","c"],"data":[]}`, dataset.ErrLimit, "more than 5 columns"},
	} {
		t.Run(c.name, func(t *testing.T) {
			limits := dataset.Limits{Rows: 8, Columns: 5}
			d, err := dataset.NewSplitDecoder(small(t), small(t).Inputs(false), limits)
			if err != nil {
				t.Fatal(err)
			}
			_, decoded := d.Decode([]byte(c.text))
			_, read := dataset.ReadSplit(t.Context(), strings.NewReader(c.text), small(t), dataset.Options{Limits: limits})
			for _, err := range []error{decoded, read} {
				if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.say) {
					t.Errorf("got %v; want %v with %q", err, c.want, c.say)
				}
			}
		})
	}
}

func TestSplitTableLimits(t *testing.T) {
	rows := strings.Repeat(`[1,2,6],`, 5000) + `[1,2,6]]`
	for name, c := range map[string]struct {
		text   string
		limits dataset.Limits
	}{
		"memory":              {`{"columns":["pkts","rate","proto"],"data":[` + rows + `}`, dataset.Limits{Memory: 1 << 14}},
		"data before columns": {`{"data":[` + rows + `,"columns":["pkts","rate","proto"]}`, dataset.Limits{Memory: 1 << 14}},
		"record":              {`{"columns":["` + strings.Repeat("x", 5000) + `"]}`, dataset.Limits{Record: 1000}},
	} {
		_, err := dataset.ReadSplit(t.Context(), strings.NewReader(c.text), small(t), dataset.Options{Limits: c.limits})
		if !errors.Is(err, dataset.ErrLimit) {
			t.Errorf("%s: got %v; want ErrLimit", name, err)
		}
	}
}

func TestJSONCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	text := `{"columns":["pkts","rate","proto"],"data":[` + strings.Repeat(`[1,2,6],`, 5000) + `[1,2,6]]}`
	if _, err := dataset.ReadSplit(ctx, strings.NewReader(text), small(t), dataset.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
}

func TestDecodersRefuseForeignInputs(t *testing.T) {
	s := small(t)
	for name, in := range map[string][]feature.Input{
		"no such column":    {{Name: "a", Column: 12, Category: -1}},
		"text":              {{Name: "a", Column: who, Category: -1}},
		"category as such":  {{Name: "a", Column: proto, Category: -1}},
		"no such category":  {{Name: "a", Column: proto, Category: 3}},
		"number's category": {{Name: "a", Column: pkts, Category: 0}},
		"twice":             {{Name: "a", Column: pkts, Category: -1}, {Name: "a", Column: pkts, Category: -1}},
		"category twice":    {{Name: "a", Column: proto, Category: 1}, {Name: "a", Column: proto, Category: 1}},
	} {
		_, split := dataset.NewSplitDecoder(s, in, dataset.Limits{})
		_, record := dataset.NewRecordDecoder(s, in, dataset.Limits{})
		if !errors.Is(split, dataset.ErrColumn) || !errors.Is(record, dataset.ErrColumn) {
			t.Errorf("%s: got %v and %v; want ErrColumn", name, split, record)
		}
	}
}

func TestDecoderAllocates(t *testing.T) {
	body := []byte(splitForms["plain"])
	d, err := dataset.NewSplitDecoder(small(t), small(t).Inputs(false), dataset.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	per := testing.AllocsPerRun(100, func() {
		if _, err := d.Decode(body); err != nil {
			t.Fatal(err)
		}
	})
	if per > 20 {
		t.Errorf("%v allocations for a document; want them independent of rows and few", per)
	}
	long := []byte(`{"columns":["pkts","rate","proto"],"data":[` + strings.Repeat(`[1,2.5,"6"],`, 1000) + `[1,2,6]]}`)
	more := testing.AllocsPerRun(100, func() {
		if _, err := d.Decode(long); err != nil {
			t.Fatal(err)
		}
	})
	if more > per {
		t.Errorf("%v allocations for 1,001 rows, %v for 2", more, per)
	}
}

func TestRecords(t *testing.T) {
	d, err := dataset.NewRecordDecoder(small(t), small(t).Inputs(false), dataset.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := []float32{1, 0.5, 1, 0, 0, nan, 2, 1.5, 0, 1, 0, nan}
	for _, text := range []string{
		`[{"pkts":1,"rate":0.5,"proto":"6"},{"proto":"17","rate":1.5,"pkts":2}]`,
		` [ { "pkts" : 1 , "Pkts/s" : "0.5" , "proto" : 6 } , {"proto":17,"rate":1.5,"Tot Pkts":2,"x":"y"} ] `,
	} {
		rows, err := d.Decode([]byte(text))
		if err != nil || rows.N != 2 || !same(rows.X, want) {
			t.Errorf("%s: got %v, %v; want %v", text, rows, err, want)
		}
	}
	rows, err := d.Decode([]byte(`{"pkts":1,"rate":0.5,"proto":"6","x":null}`))
	if err != nil || rows.N != 1 || !same(rows.X, want[:6]) || !slices.Equal(rows.Ignored, []string{"x"}) {
		t.Errorf("got %v, %v", rows, err)
	}
	if got := string(rows.Raw(0)); got != `{"pkts":1,"rate":0.5,"proto":"6","x":null}` || len(rows.RawColumns()) != 0 {
		t.Errorf("raw row is %s", got)
	}
	if rows, err = d.Decode([]byte(`[]`)); err != nil || rows.N != 0 {
		t.Errorf("got %v, %v", rows, err)
	}
}

func TestReadRecords(t *testing.T) {
	text := `[{"pkts":1,"rate":0.5,"proto":"6","label":"a"},{"label":"b","proto":"17","rate":1.5,"pkts":2}]`
	table, err := dataset.ReadRecords(t.Context(), strings.NewReader(text), small(t), dataset.Options{})
	checkTwoRows(t, table, err)
	table, err = dataset.ReadRecords(t.Context(), iotest.OneByteReader(strings.NewReader(text)), small(t), dataset.Options{Name: "r"})
	checkTwoRows(t, table, err)
	if got := table.Where(1); got != "r: row 2" {
		t.Errorf("row 1 is at %s", got)
	}
	if table, err = dataset.ReadRecords(t.Context(), strings.NewReader("[]"), small(t), dataset.Options{}); err != nil || table.Len() != 0 {
		t.Errorf("got %v, %v", table, err)
	}
	text = `[{"pkts":1,"rate":0.5,"proto":"6"},{"pkts":1,"rate":0.5}]`
	if _, err = dataset.ReadRecords(t.Context(), strings.NewReader(text), small(t), dataset.Options{}); !errors.Is(err, dataset.ErrColumn) {
		t.Errorf("got %v; want ErrColumn", err)
	}
}

func TestRecordsRefuse(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       error
		say        string
	}{
		{"nothing", "", dataset.ErrSyntax, "no text; want a JSON object of column names"},
		{"number", "1", dataset.ErrSyntax, "want an object"},
		{"empty object", "{}", dataset.ErrColumn, "row 1: wrong columns: schema small/1 wants 3 missing columns: pkts, rate, proto"},
		{"missing", `[{"pkts":1,"rate":2,"proto":6},{"proto":1}]`, dataset.ErrColumn, "row 2: wrong columns: schema small/1 wants 2 missing columns: pkts, rate"},
		{"twice", `{"pkts":1,"rate":2,"proto":6,"pkts":3}`, dataset.ErrColumn, "are both column pkts"},
		{"unknown twice", `{"pkts":1,"rate":2,"proto":6,"x":3,"x":4}`, dataset.ErrSyntax, `"x" is given twice`},
		{"nested", `{"pkts":{},"rate":2,"proto":6}`, dataset.ErrValue, "row 1: pkts: wrong value: a nested value"},
		{"text", `{"pkts":"many","rate":2,"proto":6}`, dataset.ErrValue, `column pkts: wrong value: "many" is not a number`},
		{"cut off", `{"pkts":1,`, dataset.ErrSyntax, "unexpected end"},
		{"cut off list", `[{"pkts":1,"rate":2,"proto":6},`, dataset.ErrSyntax, "unexpected end"},
		{"trailing comma", `{"pkts":1,}`, dataset.ErrSyntax, "want a name in quotes"},
		{"no colon", `{"pkts"}`, dataset.ErrSyntax, "want a colon"},
		{"garbage", `{"pkts":1,"rate":2,"proto":6}]`, dataset.ErrSyntax, "behind the end"},
		{"rows", `[` + strings.Repeat(`{"pkts":1,"rate":2,"proto":6},`, 8) + `{"pkts":1,"rate":2,"proto":6}]`, dataset.ErrLimit, "more than 8 rows"},
		{"names", `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}`, dataset.ErrLimit, "more than 5 names"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := dataset.NewRecordDecoder(small(t), small(t).Inputs(false), dataset.Limits{Rows: 8, Columns: 5})
			if err != nil {
				t.Fatal(err)
			}
			_, err = d.Decode([]byte(c.text))
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.say) {
				t.Errorf("got %v; want %v with %q", err, c.want, c.say)
			}
			if _, err := dataset.ReadRecords(t.Context(), bytes.NewReader([]byte(c.text)), small(t), dataset.Options{
				Limits: dataset.Limits{Rows: 8, Columns: 5},
			}); err == nil {
				t.Error("ReadRecords takes it")
			}
		})
	}
}
