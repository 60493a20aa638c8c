package dataset_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"mlids/dataset"
	"mlids/feature"
)

// All of these are the same two rows.
func TestCSVForms(t *testing.T) {
	for name, text := range map[string]string{
		"plain":             "Tot Pkts,Pkts/s,Proto,Label\n1,0.5,6,a\n2,1.5,17,b\n",
		"no final newline":  "Tot Pkts,Pkts/s,Proto,Label\n1,0.5,6,a\n2,1.5,17,b",
		"CRLF":              "Tot Pkts,Pkts/s,Proto,Label\r\n1,0.5,6,a\r\n2,1.5,17,b\r\n",
		"byte order mark":   "\uFEFFTot Pkts,Pkts/s,Proto,Label\n1,0.5,6,a\n2,1.5,17,b\n",
		"quoted":            "\"Tot Pkts\",\"Pkts/s\",\"Proto\",\"Label\"\n\"1\",\"0.5\",\"6\",\"a\"\n\"2\",1.5,17,\"b\"\r\n",
		"other spellings":   "pkts,RATE,proto,class\n1,0.5,6,a\n2,1.5,17,b\n",
		"other order":       "Label,Proto,Pkts/s,Tot Pkts\na,6,0.5,1\nb,17,1.5,2\n",
		"spaces":            " Tot Pkts , Pkts/s ,Proto, Label\n 1, 0.5 ,6 , a \n2,1.5,17,b\n",
		"trailing commas":   "Tot Pkts,Pkts/s,Proto,Label\n1,0.5,6,a,\n2,1.5,17,b,,,\n",
		"header's comma":    "Tot Pkts,Pkts/s,Proto,Label,\n1,0.5,6,a,\n2,1.5,17,b\n",
		"index column":      ",Tot Pkts,Pkts/s,Proto,Label\n7,1,0.5,6,a\n9,2,1.5,17,b\n",
		"repeated header":   "Tot Pkts,Pkts/s,Proto,Label\n1,0.5,6,a\nTot Pkts,Pkts/s,Proto,Label\n2,1.5,17,b\nTot Pkts,Pkts/s,Proto,Label\n",
		"files joined":      "\uFEFFTot Pkts,Pkts/s,Proto,Label\r\n1,0.5,6,a\r\n\uFEFFTot Pkts,Pkts/s,Proto,Label\r\n2,1.5,17,b\r\n",
		"blank rows":        "\n\r\nTot Pkts,Pkts/s,Proto,Label\n\n1,0.5,6,a\n  \n,,,\n,,,,\n2,1.5,17,b\n\n",
		"repeated column":   "Tot Pkts,Pkts/s,Proto,Tot Pkts,Label\n1,0.5,6,1,a\n2,1.5,17,2,b\n",
		"codes as numbers":  "Tot Pkts,Pkts/s,Proto,Label\n1.0,0.5,6.0,a\n2.0,1.5,17.0,b\n",
		"newline in quotes": "x,Tot Pkts,Pkts/s,Proto,Label\n\"a\n\"\"b\"\",\",1,0.5,6,a\n\"\n\n\",2,1.5,17,b\n",
	} {
		for form, text := range map[string]string{"plain": text, "gzip": zip(t, text)} {
			t.Run(name+" "+form, func(t *testing.T) {
				table := mustCSV(t, text, dataset.Options{})
				if !same(table.Columns[pkts], []float32{1, 2}) || !same(table.Columns[rate], []float32{0.5, 1.5}) ||
					!same(table.Columns[proto], []float32{0, 1}) || !slices.Equal(labels(table), []string{"a", "b"}) {
					t.Errorf("got %v, labels %q", table.Columns, labels(table))
				}
			})
		}
	}
}

func TestCSVInSmallPieces(t *testing.T) {
	text := "Tot Pkts,Pkts/s,Proto,Label\n1,0.5,6,\"a\"\"\n\"\"b\"\n2,1.5,17,b"
	table, err := dataset.ReadCSV(t.Context(), iotest.OneByteReader(strings.NewReader(text)), small(t), dataset.Options{})
	if err != nil || table.Len() != 2 || table.Labels[0] != "a\"\n\"b" {
		t.Fatalf("got %v, %v", table, err)
	}
}

func TestCSVValues(t *testing.T) {
	table := mustCSV(t, "pkts,rate,proto,late,label\n,NaN,,inf,a\n1e3,Infinity,icmp,,a\nTrue,-1e99,tcp,-0,b\n", dataset.Options{})
	for column, want := range map[int][]float32{
		pkts: {nan, 1000, 1}, rate: {nan, nan, -math.MaxFloat32}, proto: {nan, 2, -1}, late: {nan, nan, 0},
	} {
		if !same(table.Columns[column], want) {
			t.Errorf("column %d is %v; want %v", column, table.Columns[column], want)
		}
	}
}

func TestCSVKeepsWhatIsAsked(t *testing.T) {
	text := "who,when,port,pkts,rate,proto,extra\n10.0.0.1,1:02,80,1,2,tcp,x\n"
	table := mustCSV(t, text, dataset.Options{})
	if table.Has(port) || table.Text[who] != nil || table.Has(late) || table.Label != nil {
		t.Error("kept columns that nobody asked for")
	}
	if want := []string{"extra"}; !slices.Equal(table.Ignored, want) {
		t.Errorf("ignored %q; want %q", table.Ignored, want)
	}
	table = mustCSV(t, text, dataset.Options{Extra: true, Text: true})
	if !same(table.Columns[port], []float32{80}) || table.Text[who][0] != "10.0.0.1" || table.Text[when][0] != "1:02" ||
		table.Text[proto][0] != "tcp" {
		t.Errorf("got %v, %v", table.Columns, table.Text)
	}
	only := []feature.Input{{Name: "port", Column: port, Category: -1}}
	table = mustCSV(t, "Destination Port\n443\n", dataset.Options{Inputs: only})
	if !same(table.Columns[port], []float32{443}) || table.Has(pkts) {
		t.Errorf("got %v", table.Columns)
	}
}

func TestCSVTellsOnceWhatIsIgnored(t *testing.T) {
	var log bytes.Buffer
	o := dataset.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}
	mustCSV(t, "id,pkts,rate,proto,Attempted Category\n1,1,1,6,-1\n2,1,1,6,-1\n", o)
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "id, Attempted Category") {
		t.Errorf("log is %q", log.String())
	}
}

func TestCSVWithoutHeader(t *testing.T) {
	s := schema(t, "kdd99")
	row := "0,tcp,http,SF,181,5450,1" + strings.Repeat(",0", 34)
	for name, text := range map[string]string{
		"kdd": row + ",land.\n" + row + ",normal.\n", "nsl-kdd": row + ",land,20\n" + row + ",normal,15\n",
		"headed": header(s) + "\n" + row + ",land.\n" + row + ",normal.\n",
	} {
		table, err := dataset.ReadCSV(t.Context(), strings.NewReader(text), s, dataset.Options{NeedLabel: true, Label: "attack"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(labels(table), []string{"land", "normal"}) || len(table.Ignored) > 0 || table.Columns[5][1] != 5450 {
			t.Errorf("%s: labels %q, ignored %q", name, labels(table), table.Ignored)
		}
	}
	table, err := dataset.ReadCSV(t.Context(), strings.NewReader(row+"\n"), s, dataset.Options{})
	if err != nil || table.Label != nil || table.Len() != 1 {
		t.Errorf("without label: %v, %v", table, err)
	}
}

func header(s *feature.Schema) string {
	var names []string
	for _, c := range s.Columns {
		names = append(names, c.Name)
	}
	return strings.Join(append(names, s.Label[0]), ",")
}

func TestCSVRefuses(t *testing.T) {
	const head = "pkts,rate,proto,label\n"
	for _, c := range []struct {
		name, text string
		o          dataset.Options
		want       error
		say        string
	}{
		{"nothing", "", dataset.Options{}, dataset.ErrSyntax, "t.csv:1: malformed input: no rows"},
		{"blank", "\n\n", dataset.Options{}, dataset.ErrSyntax, "no rows"},
		{"text for a number", head + "1,2,6,a\n1,x,6,a\n", dataset.Options{}, dataset.ErrValue, `t.csv:3: column rate: wrong value: "x" is not a number`},
		{"long text", head + strings.Repeat("y", 100) + ",2,6,a\n", dataset.Options{}, dataset.ErrValue, `y"… is not`},
		{"line behind quotes", head + "1,2,6,\"a\n\n\"\n1,x,6,a\n", dataset.Options{}, dataset.ErrValue, "t.csv:5: column rate"},
		{"short row", head + "1,2,6\n", dataset.Options{}, dataset.ErrSyntax, "t.csv:2: malformed input: 3 fields; want 4"},
		{"long row", head + "1,2,6,a,b\n", dataset.Options{}, dataset.ErrSyntax, "5 fields; want 4"},
		{"missing columns", "port,proto\n1,6\n", dataset.Options{}, dataset.ErrColumn, "schema small/1 wants 2 missing columns: pkts, rate"},
		{"missing column", "pkts,proto\n1,6\n", dataset.Options{}, dataset.ErrColumn, "the missing column rate"},
		{"semicolons", "pkts;rate;proto\n1;2;6\n", dataset.Options{}, dataset.ErrColumn, `separated by ";"`},
		{"two spellings", "pkts,rate,proto,Tot Pkts\n1,2,6,1\n", dataset.Options{}, dataset.ErrColumn, `"pkts" and "Tot Pkts" are both column pkts`},
		{"no label", "pkts,rate,proto\n1,2,6\n", dataset.Options{NeedLabel: true}, dataset.ErrColumn, "no column label or class"},
		{"no such label", head + "1,2,6,a\n", dataset.Options{Label: "attack"}, dataset.ErrColumn, "no column attack with labels"},
		{"no header", "1,2,3\n", dataset.Options{}, dataset.ErrColumn, "no header, and 3 fields; want a header, or schema small/1's 7 columns"},
		{"open quote", head + "1,2,6,\"a\n", dataset.Options{}, dataset.ErrSyntax, "t.csv:2: malformed input: a quoted field is not closed"},
		{"text behind quote", head + "1,2,6,\"a\"b\n", dataset.Options{}, dataset.ErrSyntax, "behind a closing quote"},
		{"UTF-16", "\xff\xfep\x00k\x00\n", dataset.Options{}, dataset.ErrSyntax, "UTF-16"},
		{"binary", "\x00\x01\x02\n", dataset.Options{}, dataset.ErrColumn, "missing"},
		{"rows", head + strings.Repeat("1,2,6,a\n", 9), dataset.Options{Limits: dataset.Limits{Rows: 8}}, dataset.ErrLimit, "more than 8 rows"},
		{"columns", head, dataset.Options{Limits: dataset.Limits{Columns: 3}}, dataset.ErrLimit, "4 columns, at most 3"},
		{"record", head + "1,2,6," + strings.Repeat("a", 100), dataset.Options{Limits: dataset.Limits{Record: 64}}, dataset.ErrLimit, "more than 64 bytes"},
		{"memory", head + strings.Repeat("1,2,6,a\n", 5000), dataset.Options{Limits: dataset.Limits{Memory: 1 << 15}}, dataset.ErrLimit, "fewer columns or rows"},
		{"foreign input", head, dataset.Options{Inputs: []feature.Input{{Name: "x", Column: 99, Category: -1}}}, dataset.ErrColumn, "no column 99"},
		{"text input", head, dataset.Options{Inputs: []feature.Input{{Name: "x", Column: who, Category: -1}}}, dataset.ErrColumn, "gives no input"},
		{"cut gzip", zip(t, head)[:20], dataset.Options{}, dataset.ErrSyntax, "gzip"},
		{"bad gzip", "\x1f\x8bxx", dataset.Options{}, dataset.ErrSyntax, "gzip"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readCSV(t, c.text, c.o)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.say) {
				t.Errorf("got %v; want %v with %q", err, c.want, c.say)
			}
		})
	}
}

func TestCSVReadErrorAndCancel(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("pkts,rate,proto\n1,2,6\n"), iotest.ErrReader(io.ErrClosedPipe))
	if _, err := dataset.ReadCSV(t.Context(), broken, small(t), dataset.Options{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v; want the reader's error", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	text := "pkts,rate,proto\n" + strings.Repeat("1,2,6\n", 5000)
	if _, err := dataset.ReadCSV(ctx, strings.NewReader(text), small(t), dataset.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
}

func TestTooManyLabels(t *testing.T) {
	var b strings.Builder
	b.WriteString("pkts,rate,proto,label\n")
	for i := range 70_000 {
		b.WriteString("1,2,6,")
		b.WriteString(strings.Repeat("x", 1+i%7))
		b.WriteString(string(rune('0' + i)))
		b.WriteString("\n")
	}
	if _, err := readCSV(t, b.String(), dataset.Options{}); !errors.Is(err, dataset.ErrLabel) {
		t.Errorf("got %v; want ErrLabel", err)
	}
}

// longLabels is a table of as many labels as rows, 10 kB each.
func longLabels(rows int) string {
	b := strings.Builder{}
	b.WriteString("pkts,rate,proto,label\n")
	for i := range rows {
		fmt.Fprintf(&b, "1,2,6,%s%d\n", strings.Repeat("x", 10_000), i)
	}
	return b.String()
}

// Whatever a source makes a reader hold counts.
func TestMemoryOfAllKinds(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		limit int64
	}{
		"labels":          {longLabels(2000), 4 << 20},
		"places of rows":  {"pkts,rate,proto,label\n" + strings.Repeat("1,2,6,a\n\n", 5000), 120_000},
		"rows themselves": {"pkts,rate,proto,label\n" + strings.Repeat("1,2,6,a\n", 5000), 70_000},
	} {
		if _, err := readCSV(t, c.text, dataset.Options{Limits: dataset.Limits{Memory: c.limit}}); !errors.Is(err, dataset.ErrLimit) {
			t.Errorf("%s: got %v; want ErrLimit", name, err)
		}
	}
	mustCSV(t, "pkts,rate,proto,label\n"+strings.Repeat("1,2,6,a\n", 5000), dataset.Options{Limits: dataset.Limits{Memory: 120_000}})
}

func TestWhere(t *testing.T) {
	table := mustCSV(t, "pkts,rate,proto,label\n1,2,6,a\n\n1,2,6,\"a\n\"\n3,2,6,a\n", dataset.Options{})
	for row, want := range []string{"t.csv:2", "t.csv:4", "t.csv:6"} {
		if got := table.Where(row); got != want {
			t.Errorf("row %d is at %s; want %s", row, got, want)
		}
	}
	if got := table.Merge().Where(1); got != "t.csv:6" {
		t.Errorf("merged row 1 is at %s; want t.csv:6", got)
	}
}

func TestProgress(t *testing.T) {
	var seen []dataset.Progress
	o := dataset.Options{Progress: func(p dataset.Progress) { seen = append(seen, p) }}
	mustCSV(t, "pkts,rate,proto\n"+strings.Repeat("1,2,6\n", 10_000), o)
	if n := len(seen); n != 3 || seen[0].Rows != 4096 || seen[2].Rows != 10_000 {
		t.Errorf("got %v", seen)
	}
}
