package influx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"
)

// transcript writes down what it is handed.
type transcript struct{ strings.Builder }

func (t *transcript) columns(names []string) error { fmt.Fprint(t, names, "\n"); return nil }
func (t *transcript) number(field int, v float64) error {
	fmt.Fprintf(t, "%d:%v ", field, v)
	return nil
}
func (t *transcript) integer(field int, v int64) error {
	fmt.Fprintf(t, "%d:%di ", field, v)
	return nil
}
func (t *transcript) text(field int, v []byte) error { fmt.Fprintf(t, "%d:%q ", field, v); return nil }
func (t *transcript) end() error                     { t.WriteString("\n"); return nil }

const twoChunks = `{"results":[{"statement_id":0,"series":[{"name":"m","columns":["time","a","b"],
	"values":[[1760000000000000001,1.5,"x\"\u00e9"],[2,null,true]],"partial":true}],"partial":true}]}
{"results":[{"statement_id":0,"series":[{"name":"m","columns":["time","a","b"],"values":[[3,1e300,false]]}]}]}
`

const twoChunksRead = "[time a b]\n0:1760000000000000001i 1:1.5 2:\"x\\\"é\" \n0:2i 2:1 \n[time a b]\n0:3i 1:1e+300 2:0 \n"

func TestJSONAnswer(t *testing.T) {
	var got transcript
	if err := readAnswer(strings.NewReader(twoChunks), "application/json; charset=utf-8", &got); err != nil {
		t.Fatal(err)
	}
	if got.String() != twoChunksRead {
		t.Errorf("got\n%s\nwant\n%s", got.String(), twoChunksRead)
	}
}

// packed is the first chunk in msgpack, followed by the second unless it is to end early.
func packed(tb testing.TB, last bool) []byte {
	tb.Helper()
	chunk := func(b []byte, rows [][]any, partial bool) []byte {
		b = msgp.AppendMapHeader(b, 1)
		b = msgp.AppendArrayHeader(msgp.AppendString(b, "results"), 1)
		b = msgp.AppendMapHeader(b, 3)
		b = msgp.AppendInt(msgp.AppendString(b, "statement_id"), 0)
		b = msgp.AppendBool(msgp.AppendString(b, "partial"), partial)
		b = msgp.AppendArrayHeader(msgp.AppendString(b, "series"), 1)
		b = msgp.AppendMapHeader(b, 3)
		b = msgp.AppendString(msgp.AppendString(b, "name"), "m")
		b = msgp.AppendArrayHeader(msgp.AppendString(b, "columns"), 3)
		for _, name := range []string{"time", "a", "b"} {
			b = msgp.AppendString(b, name)
		}
		b = msgp.AppendArrayHeader(msgp.AppendString(b, "values"), uint32(len(rows)))
		for _, row := range rows {
			var err error
			if b, err = msgp.AppendIntf(b, row); err != nil {
				tb.Fatal(err)
			}
		}
		return b
	}
	b := chunk(nil, [][]any{{int64(1760000000000000001), 1.5, `x"é`}, {2, nil, true}}, true)
	if last {
		b = chunk(b, [][]any{{3, 1e300, false}}, false)
	}
	return b
}

func TestMsgpackAnswer(t *testing.T) {
	var got transcript
	if err := readAnswer(bytes.NewReader(packed(t, true)), mediaMsgpack, &got); err != nil {
		t.Fatal(err)
	}
	if got.String() != twoChunksRead {
		t.Errorf("got\n%s\nwant\n%s", got.String(), twoChunksRead)
	}
}

func TestAnswersCutOff(t *testing.T) {
	whole := packed(t, true)
	first := len(packed(t, false))
	for n := 1; n < len(whole); n++ {
		err := readAnswer(bytes.NewReader(whole[:n]), mediaMsgpack, &transcript{})
		if err == nil {
			t.Errorf("msgpack cut at byte %d of %d (the first chunk has %d) is taken for whole", n, len(whole), first)
		}
	}
	for n := 1; n < len(twoChunks)-1; n++ {
		if err := readAnswer(strings.NewReader(twoChunks[:n]), mediaJSON, &transcript{}); err == nil {
			t.Errorf("JSON cut at byte %d of %d is taken for whole", n, len(twoChunks))
		}
	}
}

func TestAnswersThatAreErrors(t *testing.T) {
	for text, want := range map[string]error{
		`{"error":"nope"}`:                                              ErrServer,
		`{"results":[{"error":"query timed out"}]}`:                     ErrServer,
		`{"results":[{"series":[{"columns":["a"],"values":[[1,2]]}]}]}`: errForm,
		`{"results":[{"series":[{"columns":["a"],"values":[[]]}]}]}`:    errForm,
		`{"results":[{"series":[{"values":[[1]]}]}]}`:                   errForm,
		`{"results":[{"series":[{"columns":[1]}]}]}`:                    errForm,
		`{"results":[{"series":{}}]}`:                                   errForm,
		`[]`:                                                            errForm,
		`{"results":[{"series":[],"partial":true}]}`:                    io.ErrUnexpectedEOF,
	} {
		if err := readAnswer(strings.NewReader(text), mediaJSON, &transcript{}); !errors.Is(err, want) {
			t.Errorf("%s: %v; want %v", text, err, want)
		}
	}
	if err := readAnswer(strings.NewReader("a,b"), "text/csv", &transcript{}); !errors.Is(err, errForm) {
		t.Errorf("CSV: %v", err)
	}
	long := msgp.AppendStringFromBytes(nil, make([]byte, maxText+1))
	if _, err := newMsgpack(bytes.NewReader(long)).string(); !errors.Is(err, errForm) {
		t.Errorf("a text of more than %d bytes: %v", maxText, err)
	}
}

func FuzzJSONAnswer(f *testing.F) {
	f.Add([]byte(twoChunks))
	f.Fuzz(func(_ *testing.T, b []byte) { _ = readAnswer(bytes.NewReader(b), mediaJSON, &transcript{}) })
}

func FuzzMsgpackAnswer(f *testing.F) {
	f.Add(packed(f, true))
	f.Fuzz(func(_ *testing.T, b []byte) { _ = readAnswer(bytes.NewReader(b), mediaMsgpack, &transcript{}) })
}

// endless is text without an end.
type endless struct{ given int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	if e.given += len(p); e.given > 64<<20 {
		return 0, errors.New("read on beyond all bounds")
	}
	return len(p), nil
}

// A server that never ends a name, or names too much, is not listened to for ever.
func TestEndlessAnswers(t *testing.T) {
	for _, start := range []string{
		`{"error":"`, `{"`, `{"results":[{"series":[{"columns":["`, `{"results":[{"series":[{"columns":["a"],"values":[["`, `{"skipped":["`,
	} {
		tail := &endless{}
		err := readAnswer(io.MultiReader(strings.NewReader(start), tail), mediaJSON, &transcript{})
		if !errors.Is(err, errForm) || tail.given > 8*maxText {
			t.Errorf("%s…: %v after %d bytes", start, err, tail.given)
		}
	}
	names, long := values{field: 0}, bytes.Repeat([]byte("x"), maxText)
	var err error
	for range maxValues {
		if err = names.text(0, long); err != nil {
			break
		}
	}
	if !errors.Is(err, errForm) || names.bytes > maxValueBytes+maxText {
		t.Errorf("names of a measurement: %v with %d bytes", err, names.bytes)
	}
}
