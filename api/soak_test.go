package api

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

// TestSoak classifies for as long as MLIDS_SOAK says (make soak: 10m) and fails when an answer changes, a request fails, or
// memory grows. Without it, it runs for a second.
func TestSoak(t *testing.T) {
	length := time.Second
	if v := os.Getenv("MLIDS_SOAK"); v != "" {
		var err error
		if length, err = time.ParseDuration(v); err != nil {
			t.Fatalf("MLIDS_SOAK: %v", err)
		}
	} else if testing.Short() {
		t.Skip("needs a second: run without -short")
	}
	url := start(t, newServer(t, Config{}, embedded(t)).Server)
	bodies := [][]byte{wideBody(t, 1), wideBody(t, 10), wideBody(t, 500), []byte(`{"columns":[],"data":[]}`), []byte("broken")}
	wanted := make([][]byte, len(bodies))
	for i, body := range bodies {
		wanted[i] = classifyOnce(t, url, body)
	}
	soakFor(t, length/10, url, bodies, wanted) // buffers and caches fill
	before := heap()
	n := soakFor(t, length, url, bodies, wanted)
	grown := int64(heap()) - int64(before)
	t.Logf("%d requests in %v, %.1f MiB of heap before, %+.1f MiB after", n, length, float64(before)/(1<<20), float64(grown)/(1<<20))
	if grown > 32<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}

// soakFor sends the bodies in turn from four connections and returns the number of requests.
func soakFor(t *testing.T, length time.Duration, url string, bodies, wanted [][]byte) int {
	t.Helper()
	end := time.Now().Add(length)
	var wg sync.WaitGroup
	var counts [4]int
	for c := range counts {
		wg.Go(func() {
			for time.Now().Before(end) && !t.Failed() {
				i := (counts[c] + c) % len(bodies)
				if got := classifyOnce(t, url, bodies[i]); !bytes.Equal(got, wanted[i]) {
					t.Errorf("body %d: %s, before it was %s", i, got, wanted[i])
				}
				counts[c]++
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}

func classifyOnce(t *testing.T, url string, body []byte) []byte {
	t.Helper()
	res, err := http.Post(url+"/api/predictions", mediaSplit, bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return nil
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return answer
}

// heap is the size of what is in use after a collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
