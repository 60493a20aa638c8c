package dataset_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"mlids/dataset"
)

// A table that is built value by value is the one that ReadCSV makes of the same text.
func TestAppenderLikeCSV(t *testing.T) {
	s := schema(t, "kdd99")
	header := []string{"", "attack"}
	line := []string{"", "smurf."}
	for _, c := range s.Columns {
		header, line = append(header, c.Name), append(line, "0.25")
		if c.Categories != nil {
			line[len(line)-1] = c.Categories[1]
		}
	}
	text := strings.Join(header[1:], ",") + "\n" + strings.Repeat(strings.Join(line[1:], ",")+"\n", 3000)
	o := dataset.Options{Extra: true, Text: true}
	want, err := dataset.ReadCSV(t.Context(), strings.NewReader(text), s, o)
	if err != nil {
		t.Fatal(err)
	}
	var last dataset.Progress
	o.Progress = func(p dataset.Progress) { last = p }
	a, err := dataset.NewAppender(t.Context(), header, 3000, s, o)
	if err != nil {
		t.Fatal(err)
	}
	for range 3000 {
		for i, field := range line[1:] {
			if field == "0.25" {
				err = errors.Join(err, a.Number(i+1, 0.25))
			} else {
				err = errors.Join(err, a.Text(i+1, []byte(field)))
			}
		}
		if err = errors.Join(err, a.End(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	got, err := a.Table(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if csvOf(t, got) != csvOf(t, want) || a.Len() != 3000 || last.Rows != 3000 || last.Of != 3000 {
		t.Errorf("the table is another, or progress %+v is", last)
	}
}

func csvOf(t *testing.T, table *dataset.Table) string {
	t.Helper()
	var b strings.Builder
	if err := dataset.WriteCSV(&b, table); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAppenderValues(t *testing.T) {
	s := schema(t, "kdd99")
	o := dataset.Options{Inputs: s.Inputs(false)[:1], Extra: true, Text: true, Name: "db"}
	a, err := dataset.NewAppender(t.Context(), []string{"duration", "flag", "label", "nosuch"}, 0, s, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range []float64{math.Inf(1), 1e300, 0.1, math.Copysign(0, -1)} {
		if err := errors.Join(a.Number(0, v), a.Number(1, 7), a.Number(2, float64(i)), a.Number(3, 1), a.End(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.End(t.Context()); err != nil { // a row of which nothing was set
		t.Fatal(err)
	}
	if err := a.Text(0, []byte("long")); !errors.Is(err, dataset.ErrValue) || !strings.Contains(err.Error(), "db: row 6: column duration") {
		t.Errorf("text for a number: %v", err)
	}
	table, err := a.Table(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := "duration,flag,attack\n,7,0\n3.4028235e+38,7,1\n0.1,7,2\n0,7,3\n,,\n"
	if got := csvOf(t, table); got != want || len(table.Ignored) != 1 || table.Len() != 5 {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAppenderRefuses(t *testing.T) {
	s := schema(t, "kdd99")
	if _, err := dataset.NewAppender(t.Context(), []string{"duration"}, 0, s, dataset.Options{}); !errors.Is(err, dataset.ErrColumn) {
		t.Errorf("missing columns: %v", err)
	}
	few := dataset.Options{Inputs: s.Inputs(false)[:1], Limits: dataset.Limits{Rows: 1500}}
	a, err := dataset.NewAppender(t.Context(), []string{"duration"}, math.MaxInt, s, few)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil && a.Len() < 3000 {
		err = a.End(t.Context())
	}
	if !errors.Is(err, dataset.ErrLimit) {
		t.Errorf("too many rows: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	a, err = dataset.NewAppender(ctx, []string{"duration"}, -1, s, dataset.Options{Inputs: few.Inputs})
	for err == nil && a.Len() < 3000 {
		err = a.End(ctx)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
