package influx_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"testing"

	"github.com/tinylib/msgp/msgp"
	"golang.org/x/sync/errgroup"

	"mlids/dataset"
	"mlids/dataset/influx"
	"mlids/feature"
	"mlids/internal/influxtest"
)

// BenchmarkLoad writes KDD's 494,021 rows (20,000 in short runs), and beside that posts the same points, made beforehand,
// by nothing but net/http and two or four connections: what the server takes.
func BenchmarkLoad(b *testing.B) {
	table := kdd(b, everything)
	points := recorded(b, table)
	b.Run("mlids", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			at := client(b, influxtest.Start(b, "").URL("kdd", "measurement=traffic"))
			b.StartTimer()
			if _, err := at.Write(b.Context(), table, nil); err != nil {
				b.Fatal(err)
			}
		}
		perSecond(b, table.Len())
	})
	for _, connections := range []int{2, 4} {
		b.Run(fmt.Sprintf("plain%d", connections), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				server := influxtest.Start(b, "")
				server.Shell(b, "", "CREATE DATABASE kdd")
				b.StartTimer()
				post(b, "http://"+server.Addr+"/write?db=kdd", points, connections)
			}
			perSecond(b, table.Len())
		})
	}
}

func perSecond(b *testing.B, rows int) {
	b.Helper()
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}

// load writes KDD's rows, and lets the table go.
func load(b *testing.B, to *influx.Client) (*feature.Schema, int) {
	b.Helper()
	table := kdd(b, everything)
	if _, err := to.Write(b.Context(), table, nil); err != nil {
		b.Fatal(err)
	}
	return table.Schema, table.Len()
}

// recorded is what Write posts, request by request.
func recorded(tb testing.TB, t *dataset.Table) [][]byte {
	tb.Helper()
	var points [][]byte
	recorder := record(tb, &points)
	// The recorder does not count, so that Write must fail in the end, after it has written all.
	w, err := client(tb, recorder+"/kdd?measurement=traffic").Write(tb.Context(), t, nil)
	if !errors.Is(err, influx.ErrRows) || w.Rows != t.Len() {
		tb.Fatal(err)
	}
	return points
}

// post sends requests by so many connections.
func post(tb testing.TB, to string, bodies [][]byte, connections int) {
	tb.Helper()
	var group errgroup.Group
	group.SetLimit(connections)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	for _, body := range bodies {
		group.Go(func() error {
			response, err := client.Post(to, "text/plain", bytes.NewReader(body))
			if err != nil {
				return err
			}
			defer response.Body.Close()
			if response.StatusCode != http.StatusNoContent {
				return errors.New(response.Status)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkRead reads KDD's rows back, and beside that takes the same answer apart into nothing.
func BenchmarkRead(b *testing.B) {
	server := influxtest.Start(b, "")
	at := client(b, server.URL("kdd", "measurement=traffic"))
	schema, rows := load(b, at)
	read := func(b *testing.B, o dataset.Options) *dataset.Table {
		b.Helper()
		t, err := at.Read(b.Context(), schema, o)
		if err != nil || t.Len() != rows {
			b.Fatal(err)
		}
		return t
	}
	b.Run("mlids", func(b *testing.B) {
		for b.Loop() {
			read(b, dataset.Options{})
		}
		perSecond(b, rows)
	})
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			drain(b, "http://"+server.Addr)
		}
		perSecond(b, rows)
	})
	b.Run("memory", func(b *testing.B) { // by itself: looking at the heap stops the reader
		ratio := 0.0
		for b.Loop() {
			ratio = max(ratio, peak(b, func(sample func()) *dataset.Table {
				return read(b, dataset.Options{Progress: func(dataset.Progress) { sample() }})
			}))
		}
		b.ReportMetric(ratio, "peak/table")
	})
}

// peak is the heap that reading takes at its most, in sizes of the table read.
func peak(b *testing.B, read func(sample func()) *dataset.Table) float64 {
	b.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, most := m.HeapInuse, uint64(0)
	t := read(func() {
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapInuse)
	})
	size := 4 * t.Len() // labels
	for _, c := range t.Columns {
		size += 4 * len(c)
	}
	return float64(most-before) / float64(size)
}

// drain skips through a chunked answer in msgpack.
func drain(b *testing.B, server string) {
	b.Helper()
	q := url.Values{"db": {"kdd"}, "q": {"SELECT * FROM traffic"}, "epoch": {"ns"}, "chunked": {"true"}, "chunk_size": {"10000"}}
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, server+"/query?"+q.Encode(), http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Accept", "application/x-msgpack")
	response, err := (&http.Client{Transport: &http.Transport{DisableCompression: true}}).Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	r := msgp.NewReaderSize(response.Body, 1<<16)
	for err == nil {
		err = r.Skip()
	}
	if !errors.Is(err, io.EOF) {
		b.Fatal(fmt.Errorf("the answer: %w", err))
	}
}
