package influx_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids/dataset/influx"
	series "mlids/notify/influx"
)

// database answers with the next of its errors, then with success.
type database struct {
	sync.Mutex
	errs  []error
	calls int
	lines strings.Builder
}

func (d *database) CreateDatabase(context.Context) error { return nil }

func (d *database) Post(ctx context.Context, points []byte) error {
	d.Lock()
	defer d.Unlock()
	if d.calls++; len(d.errs) > 0 {
		err := d.errs[0]
		d.errs = d.errs[1:]
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d.lines.Write(points)
	return nil
}

func (d *database) text() string {
	d.Lock()
	defer d.Unlock()
	return d.lines.String()
}

func newWriter(t *testing.T, cfg series.Config, d series.Database) (*series.Writer, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	w, err := series.New(cfg, series.Deps{Log: slog.New(slog.DiscardHandler), Register: registry, Database: d})
	if err != nil {
		t.Fatal(err)
	}
	return w, registry
}

// dropped gives the rows dropped for a reason.
func dropped(t *testing.T, r *prometheus.Registry, reason string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "mlids_influx_rows_dropped_total" && m.GetLabel()[0].GetValue() == reason {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("no metric for %s", reason)
	return 0
}

// running runs a writer in a bubble of synctest and stops it at the end.
func running(t *testing.T, w *series.Writer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

var classes = []string{"normal", "dos"}

func TestPointsOfAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &database{}
		w, _ := newWriter(t, series.Config{}, d)
		stop := running(t, w)
		w.Predicted("kdd 99", classes, []int{2, 1}, []float64{1.5, 0.75})
		w.Predicted("kdd 99", classes, []int{1, 0}, []float64{1, 0})
		w.Predicted("other", []string{"a", `b\`}, []int{0, 1}, []float64{0, math.NaN()})
		time.Sleep(10*time.Second + time.Millisecond)
		w.Predicted("kdd 99", classes, []int{0, 3}, []float64{0, 2})
		time.Sleep(10 * time.Second)
		start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		first, second := start.Add(10*time.Second).UnixNano(), start.Add(20*time.Second).UnixNano()
		want := fmt.Sprintf(`mlids_verdicts,class=dos,model=kdd\ 99 rows=1i,confidence_sum=0.75 %[1]d
mlids_verdicts,class=normal,model=kdd\ 99 rows=3i,confidence_sum=2.5 %[1]d
mlids_verdicts,class=b_,model=other rows=1i,confidence_sum=0 %[1]d
mlids_verdicts,class=dos,model=kdd\ 99 rows=3i,confidence_sum=2 %[2]d
`, first, second)
		if got := d.text(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		w.Predicted("kdd 99", classes, []int{0, 7}, []float64{0, 7})
		stop()
		if got := d.text(); !strings.Contains(got, "rows=7i") {
			t.Errorf("what came last was not written: %s", got)
		}
	})
}

func TestServerAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &database{errs: []error{influx.ErrLost, influx.ErrLost, influx.ErrServer}}
		w, registry := newWriter(t, series.Config{}, d)
		stop := running(t, w)
		defer stop()
		w.Predicted("m", classes, []int{1, 0}, []float64{1, 0}) // refused, after two failures
		time.Sleep(11 * time.Second)
		w.Predicted("m", classes, []int{5, 0}, []float64{5, 0}) // written
		time.Sleep(time.Minute)
		if got := dropped(t, registry, "refused"); got != 1 {
			t.Errorf("%v rows refused, want 1", got)
		}
		if got := d.text(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "rows=5i") {
			t.Errorf("written: %s", got)
		}
	})
}

// away never answers.
type away struct{}

func (away) CreateDatabase(context.Context) error { return nil }
func (away) Post(ctx context.Context, _ []byte) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestNothingWaitsForTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, registry := newWriter(t, series.Config{Queue: 10, Backlog: 2}, away{})
		for range 15 { // before Run: only the queue takes them
			w.Predicted("m", classes, []int{1, 0}, []float64{1, 0})
		}
		if got := dropped(t, registry, "queue"); got != 5 {
			t.Errorf("%v rows dropped by the queue, want 5", got)
		}
		stop := running(t, w)
		time.Sleep(5 * time.Second) // rows come between the ticks of the writer, not with them
		for range 5 {
			time.Sleep(10 * time.Second)
			w.Predicted("m", classes, []int{1, 0}, []float64{1, 0})
		}
		time.Sleep(10 * time.Second)
		if got := dropped(t, registry, "backlog"); got != 3 {
			t.Errorf("%v rows dropped by the backlog, want 3", got)
		}
		stop()
		if got := dropped(t, registry, "end"); got != 12 {
			t.Errorf("%v rows dropped at the end, want 12", got)
		}
	})
}

func TestNewWantsAll(t *testing.T) {
	if _, err := series.New(series.Config{}, series.Deps{}); err == nil {
		t.Error("no dependencies are enough")
	}
	registry := prometheus.NewRegistry()
	deps := series.Deps{Log: slog.New(slog.DiscardHandler), Register: registry, Database: &database{}}
	_, first := series.New(series.Config{}, deps)
	_, second := series.New(series.Config{}, deps)
	if registered := new(prometheus.AlreadyRegisteredError); first != nil || !errors.As(second, registered) {
		t.Errorf("%v, %v", first, second)
	}
}
