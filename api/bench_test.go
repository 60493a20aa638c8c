package api

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"mlids/api/door"
	"mlids/feature"
)

// wideBody is a request of n rows with the 78 numbers of CSE-CIC-IDS2018, each row different.
func wideBody(tb testing.TB, n int) []byte {
	tb.Helper()
	catalogue, err := feature.Schemas()
	if err != nil {
		tb.Fatal(err)
	}
	schema, err := catalogue.Find("cicflow/2018")
	if err != nil {
		tb.Fatal(err)
	}
	var names []string
	for _, c := range schema.Columns {
		if c.Kind != feature.Text && c.Kind != feature.Time && c.Name != "src_port" {
			names = append(names, c.Name)
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"columns":["%s"],"data":[`, strings.Join(names, `","`))
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		for j := range names {
			b.WriteByte("[,"[min(j, 1)])
			switch j % 3 {
			case 0:
				fmt.Fprint(&b, (i*7919+j*104729)%100_000)
			case 1:
				fmt.Fprint(&b, 0)
			default:
				fmt.Fprint(&b, float64((i*15485863+j*32452843)%1_000_000_000)/1000)
			}
		}
		b.WriteByte(']')
	}
	b.WriteString("]}")
	return b.Bytes()
}

// BenchmarkPredictions asks a server over the loopback. The client sends a prepared request and reads the answer, no more,
// so that what is measured is the server.
func BenchmarkPredictions(b *testing.B) {
	url := start(b, newServer(b, Config{}, embedded(b)).Server)
	benchmarkRequests(b, strings.TrimPrefix(url, "http://"))
}

// BenchmarkPredictionsWithKey is the same at locked doors, one of a hundred keys shown, with rates.
func BenchmarkPredictionsWithKey(b *testing.B) {
	file := door.OpenKeyFile(filepath.Join(b.TempDir(), "keys.json"))
	var token string
	for i := range 100 {
		var err error
		k := door.Key{Name: strconv.Itoa(i), Role: door.Analyst, Requests: 1e9, Rows: 1e9}
		if _, token, err = file.Add(b.Context(), k); err != nil {
			b.Fatal(err)
		}
	}
	guard, err := door.New(door.Config{KeyFile: file.Path()}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	url := start(b, withDeps(b, Config{}, Deps{Models: embedded(b), Guard: guard}).Server)
	benchmarkRequests(b, strings.TrimPrefix(url, "http://"), "Authorization: Bearer "+token)
}

// BenchmarkBareHTTP is the limit: a server of net/http alone, that reads the same bodies and answers as many bytes.
func BenchmarkBareHTTP(b *testing.B) {
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		rows, _ := strconv.Atoi(r.Header.Get("X-Rows"))
		_, _ = w.Write(bytes.Repeat([]byte("0,"), rows))
	}))
	defer h.Close()
	benchmarkRequests(b, h.Listener.Addr().String())
}

// benchmarkRequests sends tables of 1, 100 and 1000 rows over four connections per processor.
func benchmarkRequests(b *testing.B, address string, headers ...string) {
	b.Helper()
	for _, rows := range []int{1, 100, 1000} {
		body := wideBody(b, rows)
		request := fmt.Appendf(nil, "POST /api/predictions HTTP/1.1\r\nHost: %s\r\nX-Rows: %d\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n\r\n%s",
			address, rows, mediaSplit, len(body), strings.Join(append(headers, "X: y"), "\r\n"), body)
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.SetParallelism(4)
			before := cpuTime(b)
			b.RunParallel(func(pb *testing.PB) {
				c, err := net.Dial("tcp", address)
				if err != nil {
					b.Error(err)
					return
				}
				defer c.Close()
				in := bufio.NewReader(c)
				for pb.Next() {
					if err := roundTrip(c, in, request); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/req")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
			b.ReportMetric(float64(b.N*rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// cpuTime is what this process, server and client together, has used so far. Unlike the clock, it does not count what other
// processes of the machine do.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func roundTrip(c net.Conn, in *bufio.Reader, request []byte) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", res.Status)
	}
	_, err = io.Copy(io.Discard, res.Body)
	return err
}
