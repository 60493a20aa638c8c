package tree

import (
	"runtime"
	"testing"
	"time"

	"mlids/dataset"
	"mlids/learn/internal/kddset"
)

// BenchmarkBoostKDD trains 100 trees of 31 leaves on all rows of the KDD 10% set, normal against attack, from the matrix
// to the model, equal rows merged on the way. lab/bench/learn_peers.py runs it beside LightGBM and XGBoost.
func BenchmarkBoostKDD(b *testing.B) {
	s := kddset.Binary(kddset.Load(b, 1))
	train := kddset.Part(s, func(i int) bool { return i%5 != 4 })
	test := kddset.Part(s, func(i int) bool { return i%5 == 4 })
	f, _, err := raced().Fit(b.Context(), train, nil)
	if err != nil {
		b.Fatal(err)
	}
	auc := score(f, test).Ranked().ROCAUC()
	race(b, s)
	b.ReportMetric((1-auc)*1e6, "ppm-AUC-below-1") // the loop forgets what was reported before
}

// BenchmarkBoostMerged is the same on rows that were merged before the clock starts.
func BenchmarkBoostMerged(b *testing.B) {
	race(b, kddset.Binary(kddset.Load(b, 1)).Merge())
}

// raced are the settings that the peers get, too: every tree may use all inputs.
func raced() Boost {
	c := DefaultBoost()
	c.Columns, c.MinChild = 1, 1
	return c
}

// race trains again and again, and reports the best time.
func race(b *testing.B, s *dataset.Set) {
	b.Helper()
	best, peak := time.Hour, uint64(0)
	for b.Loop() {
		seconds, heap := timed(b, s)
		best, peak = min(best, seconds), max(peak, heap)
	}
	b.ReportMetric(best.Seconds(), "s/model")
	b.ReportMetric(float64(s.Len())/best.Seconds(), "rows/s")
	b.ReportMetric(float64(peak)/(1<<20), "MiB-peak-heap")
}

// timed trains once, and tells how much the heap grew at most beyond what was in use before.
func timed(b *testing.B, s *dataset.Set) (seconds time.Duration, peak uint64) {
	b.Helper()
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before := m.HeapAlloc
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc-min(before, m.HeapAlloc))
			case <-done:
				return
			}
		}
	}()
	start := time.Now()
	if _, _, err := raced().Fit(b.Context(), s, nil); err != nil {
		b.Fatal(err)
	}
	seconds = time.Since(start)
	close(done)
	<-stopped
	return seconds, peak
}
