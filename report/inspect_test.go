package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"mlids/dataset"
)

const small = `a,b,same,fixed,proto,ip,port,label
1,10,10,7,tcp,1.1.1.1,80,BENIGN
1,10,10,7,tcp,1.1.1.2,81,BENIGN
2,20,20,7,udp,1.1.1.1,80,BENIGN
2,20,20,7,udp,1.1.1.1,80,DoS
3,inf,,7,icmp,9.9.9.9,99,DoS
`

func smallTable(tb testing.TB) *dataset.Table {
	tb.Helper()
	return read(tb, small, "a", "b", "same", "fixed", "proto|tcp|udp", "ip?", "port!", "absent")
}

func TestInspectCounts(t *testing.T) {
	r := inspect(t, smallTable(t), Options{})
	if r.Rows != 5 || len(r.Columns) != 7 || !slices.Equal(r.Absent, []string{"absent"}) {
		t.Errorf("%d rows, %d columns, absent %v", r.Rows, len(r.Columns), r.Absent)
	}
	if p := r.Repeats; p.Distinct != 4 || p.Rows != 1 || p.Conflicts != 2 || p.Ceiling != 0.8 {
		t.Errorf("repeats %+v", p) // rows 1 and 2 differ in identity only, 3 and 4 in their label
	}
	if b := column(t, r, "b"); b.Missing != 1 || b.Infinite != 1 || b.Distinct != 2 || b.Constant {
		t.Errorf("b: %+v", b)
	}
	if s := column(t, r, "same"); s.Same != "b" || s.Infinite != 0 || s.Missing != 1 {
		t.Errorf("same: %+v", s)
	}
	if f := column(t, r, "fixed"); !f.Constant || f.Information != 0 || f.AUC != 0.5 {
		t.Errorf("fixed: %+v", f)
	}
	if p := column(t, r, "proto"); p.Unknown != 1 || p.Numbers != nil || p.Values[0] != (Value{"tcp", 2}) {
		t.Errorf("proto: %+v", p)
	}
	if ip := column(t, r, "ip"); ip.Distinct != 3 || ip.Values[0] != (Value{"1.1.1.1", 3}) {
		t.Errorf("ip: %+v", ip)
	}
	if a := column(t, r, "a"); a.AUC != 11.0/12 || !a.Higher || a.Numbers.Mean != 1.8 || !slices.Equal(a.ByLabel, []float64{0.125, 0.625}) {
		t.Errorf("a: %+v", a)
	}
	want := []Share{{"benign", 3, 0.6}, {"attack", 2, 0.4}}
	if !slices.Equal(r.Classes, want) || len(r.Labels) != 2 || r.Labels[0].Name != "BENIGN" || r.Labels[1].Class != "attack" {
		t.Errorf("classes %v, labels %v", r.Classes, r.Labels)
	}
}

// leaky is a table with a column that knows, an address that knows, and a clock with a value for each row.
func leaky(tb testing.TB) *dataset.Table {
	tb.Helper()
	csv := rows("x,leak,ip,clock,label", 400, func(i int) string {
		attack := i % 2
		label := []string{"benign", "DoS"}[attack]
		return fmt.Sprintf("%d,%d,10.0.0.%d,%d:%d,%s", (i*7919)%101, 1000*attack+i%50, attack, i/60, i%60, label)
	})
	return read(tb, csv, "x", "leak", "ip?", "clock?")
}

func TestLeaksAreSuspected(t *testing.T) {
	r := inspect(t, leaky(t), Options{})
	for name, want := range map[string]bool{"x": false, "leak": true, "ip": true, "clock": false} {
		if c := column(t, r, name); (c.Leak != "") != want {
			t.Errorf("%s: leak %q, one rule %v, AUC %v", name, c.Leak, c.OneRule, c.AUC)
		}
	}
	if f := r.Findings[0]; f.Level != Problem || !strings.Contains(f.Text, "Column leak looks like a leak") {
		t.Errorf("first finding: %+v", f)
	}
	if best := r.best(1); len(best) != 1 || best[0].Name != "leak" || best[0].Explains < 0.8 {
		t.Errorf("best %+v", best)
	}
}

func TestDrift(t *testing.T) {
	table := func(shift int, label string) *dataset.Table {
		return read(t, rows("x,y,proto,label", 300, func(i int) string {
			proto := []string{"tcp", "udp", "sctp"}[min(i%2+shift/1000, 2)]
			return fmt.Sprintf("%d,%d,%s,%s", i+shift, i, proto, []string{"benign", label}[i%2])
		}), "x", "y", "proto|tcp|udp")
	}
	r := inspect(t, table(0, "DoS"), Options{Against: table(1000, "Worm")})
	d := r.Drift
	if len(d.Columns) != 3 {
		t.Fatalf("drift %+v", d)
	}
	by := map[string]ColumnDrift{}
	for _, c := range d.Columns {
		by[c.Name] = c
	}
	if x := by["x"]; x.KS != 1 || x.Outside != 1 || x.PSI < 5 || *x.Medians != [2]float64{149, 1149} || *x.Benign < 5 {
		t.Errorf("x: %+v", x)
	}
	if y := by["y"]; y.KS != 0 || y.PSI != 0 || y.Outside != 0 {
		t.Errorf("y: %+v", y)
	}
	if p := by["proto"]; p.PSI < 1 || p.Outside != 0.5 || !slices.Equal(p.Unseen, []Value{{"sctp", 150}}) || p.Medians != nil {
		t.Errorf("proto: %+v", p)
	}
	if !slices.Equal(d.Unseen, []Value{{"Worm", 150}}) || !slices.Equal(d.Gone, []string{"DoS"}) {
		t.Errorf("labels: unseen %v, gone %v", d.Unseen, d.Gone)
	}
}

func TestInspectIsTheSameOnAnyNumberOfCores(t *testing.T) {
	table := leaky(t)
	var first []byte
	for _, cores := range []int{1, 2, 7} {
		before := runtime.GOMAXPROCS(cores)
		text, err := json.Marshal(inspect(t, table, Options{Seed: 3, Against: table}))
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = text
		}
		if string(first) != string(text) {
			t.Errorf("%d cores: another report", cores)
		}
	}
}

func TestInspectEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Inspect(ctx, leaky(t), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := Inspect(t.Context(), nil, Options{}); err == nil {
		t.Error("no error without a table")
	}
}

func TestProgressCountsColumns(t *testing.T) {
	last := 0
	inspect(t, leaky(t), Options{Progress: func(done, of int) {
		if done != last+1 || of != 4 {
			t.Errorf("%d of %d after %d", done, of, last)
		}
		last = done
	}})
	if last != 4 {
		t.Errorf("%d columns", last)
	}
}
