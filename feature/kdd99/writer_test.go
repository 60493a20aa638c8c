package kdd99

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"mlids"
	"mlids/feature"
)

// row is the row of a small connection.
func row(tb testing.TB) *Row {
	tb.Helper()
	rows := extract(tb, Config{}, each(dialogue(25, "< 220 hi\r\n", "> QUIT\r\n")))
	if len(rows) != 1 {
		tb.Fatalf("%d rows", len(rows))
	}
	return &rows[0]
}

func TestCSV(t *testing.T) {
	const line = "0,tcp,smtp,SF,6,8,0,0,0,0,0,1,0,0,0,0,0,0,0,0,0,0,1,1,0.00,0.00,0.00,0.00,1.00,0.00,0.00," +
		"1,1,1.00,0.00,1.00,0.00,0.00,0.00,0.00,0.00"
	for _, c := range []struct{ label, unlabelled, want string }{
		{"", "", line + "\n"},
		{"", "normal.", line + ",normal.\n"},
		{"smurf.", "normal.", line + ",smurf.\n"},
		{`a "b", c`, "", line + `,"a ""b"", c"` + "\n"},
	} {
		var b bytes.Buffer
		w := NewCSV(&b, schema(t))
		w.Unlabelled = c.unlabelled
		r := row(t)
		r.Label = c.label
		if err := errors.Join(w.Write(r), w.Flush()); err != nil || b.String() != c.want {
			t.Errorf("got %v\n%s, want\n%s", err, b.String(), c.want)
		}
	}
}

func TestHeader(t *testing.T) {
	s, err := feature.New(feature.Schema{Name: "kdd99", Columns: schema(t).Columns, Headed: true})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := NewCSV(&b, s).Flush(); err != nil || !strings.HasPrefix(b.String(), "duration,protocol_type,") {
		t.Errorf("got %v, %q", err, b.String())
	}
}

// full fails to write.
type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrors(t *testing.T) {
	w := NewJSON(full{})
	r := row(t)
	for range flushAt {
		if err := w.Write(r); err != nil {
			if !errors.Is(err, errFull) {
				t.Errorf("got %v", err)
			}
			return
		}
	}
	t.Error("nothing was written")
}

// TestMissingCategory refuses a schema that cannot name what is found.
func TestMissingCategory(t *testing.T) {
	columns := slices.Clone(schema(t).Columns)
	columns[flagColumn].Categories = []string{"SF"}
	if _, err := New(Config{Schema: &feature.Schema{Name: "kdd99", Columns: columns}}, func(*Row) {}); !errors.Is(err, ErrSchema) {
		t.Errorf("got %v, want ErrSchema", err)
	}
}

// TestWindowsOutliveTheHistory sends a packet before the history forgets a connection: its error rates are kept then.
func TestWindowsOutliveTheHistory(t *testing.T) {
	var last Row
	x := extractor(t, Config{History: minHistory}, func(r *Row) { last = *r })
	packets := dialogue(80, "> a", "> b")
	refused := slices.Clone(packets[:2])
	for i := range refused {
		refused[i].Time -= 1e9
		refused[i].SrcPort, refused[i].DstPort = max(refused[i].SrcPort, 80)-1, max(refused[i].DstPort, 80)-1
	}
	refused[0].DstPort, refused[1].SrcPort = 80, 80
	refused[1].Flags = mlids.RST
	each(refused)(x.Add)
	each(packets[:4])(x.Add)
	pings := func(from float64, n int) {
		for i := range n {
			p := echo(from+float64(i)/1e4, 8, 3, 4, 0)
			x.Add(&p)
		}
	}
	pings(1e9+0.04, 600)
	b := packets[4]
	b.Time = 1e18 + 2e8
	x.Add(&b)
	pings(1e9+0.3, 3000)
	x.Flush()
	if got := value(t, &last, "rerror_rate"); x.Stats().Forgotten != 0 || last.Service != HTTP || got != 0.5 {
		t.Errorf("%d forgotten, rerror_rate %v of %s", x.Stats().Forgotten, got, last.AppendCSV(nil))
	}
}
