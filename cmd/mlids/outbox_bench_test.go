package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkOutbox is what it costs to store predictions before they are answered: one processor for the server, eight
// connections that always have a request under way. "mlids" must be the tests' own, which testscript puts in PATH.
func BenchmarkOutbox(b *testing.B) {
	for _, queue := range []struct {
		name string
		args []string
	}{
		{"off", []string{"--publish", "none"}},
		{"on", nil},
		{"file", []string{"--notify", "log=file://" + b.TempDir() + "/log.jsonl"}},
		{"power", []string{"--sync", "power"}},
	} {
		if queue.name == "file" && allSinks()["file"] == nil {
			continue
		}
		for _, rows := range []int{1, 100, 1000} {
			for _, percent := range []int{1, 10, 100} {
				b.Run(fmt.Sprintf("%s/rows=%d/attacks=%d%%", queue.name, rows, percent), func(b *testing.B) {
					benchOutbox(b, queue.args, rows, percent)
				})
			}
		}
	}
}

func benchOutbox(b *testing.B, args []string, rows, percent int) {
	b.Helper()
	url := benchServer(b, args)
	bodies := splitBodies(b, rows, percent)
	took := make([][]time.Duration, 8)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: len(took)}}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	started := time.Now()
	for c := range took {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				began := time.Now()
				benchAsk(b, client, url, bodies[int(i)%len(bodies)])
				took[c] = append(took[c], time.Since(began))
			}
		})
	}
	wg.Wait()
	total := time.Since(started)
	all := slices.Concat(took...)
	slices.Sort(all)
	b.ReportMetric(float64(b.N)/total.Seconds(), "req/s")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}

// benchServer starts mlids with one processor.
func benchServer(b *testing.B, args []string) string {
	b.Helper()
	addr := freeAddr(b)
	line := append([]string{"mlids", "serve", "--listen", addr, "--data-dir", b.TempDir(), "--log-level", "error"}, args...)
	if taskset, err := exec.LookPath("taskset"); err == nil {
		line = append([]string{taskset, "-c", "0"}, line...)
	}
	cmd := exec.CommandContext(b.Context(), line[0], line[1:]...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for deadline := time.Now().Add(20 * time.Second); ; wait(b.Context(), 20*time.Millisecond) {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+addr+"/readyz", nil)
		if err != nil {
			b.Fatal(err)
		}
		if response, err := http.DefaultClient.Do(r); err == nil {
			response.Body.Close()
			return "http://" + addr + "/api/predictions?model=kdd99"
		}
		if time.Now().After(deadline) {
			b.Fatalf("mlids does not answer: %s", log.Bytes())
		}
	}
}

// splitBodies are tables of so many rows, of which so many percent over all are attacks.
func splitBodies(b *testing.B, rows, percent int) [][]byte {
	b.Helper()
	columns, benign := splitRow(b, string(kddRecord(b)))
	_, attack := splitRow(b, neptune(b))
	bodies := make([][]byte, max(100/rows, 10))
	n := 0
	for i := range bodies {
		var list []string
		for range rows {
			row := benign
			if n%100 < percent {
				row = attack
			}
			n += 37 // spreads them; 37 and 100 have no common factor
			list = append(list, row)
		}
		bodies[i] = fmt.Appendf(nil, `{"columns":%s,"data":[%s]}`, columns, strings.Join(list, ","))
	}
	return bodies
}

// splitRow makes a record's names and values two arrays.
func splitRow(b *testing.B, record string) (columns, row string) {
	b.Helper()
	var values map[string]json.RawMessage
	if err := json.Unmarshal([]byte(record), &values); err != nil {
		b.Fatal(err)
	}
	var names, cells []string
	for _, name := range sortedKeys(values) {
		names = append(names, `"`+name+`"`)
		cells = append(cells, string(values[name]))
	}
	return "[" + strings.Join(names, ",") + "]", "[" + strings.Join(cells, ",") + "]"
}

func benchAsk(b *testing.B, client *http.Client, url string, body []byte) {
	b.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		b.Error(err)
		return
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		b.Error(err)
		return
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		b.Errorf("%s: %s %v", response.Status, text, err)
	}
}
