package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mlids/notify"
)

// runWired runs a command line with a way out of the scheme "test".
func runWired(ctx context.Context, w *wire, s streams, args ...string) error {
	a := &app{streams: s, sinks: map[string]makeSink{"test": func(*app, *url.URL) (notify.Sink, error) { return w, nil }}}
	root := a.command()
	root.SetArgs(args)
	root.SetOut(s.out)
	root.SetErr(s.err)
	return root.ExecuteContext(ctx)
}

func writeCapture(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scan.pcap")
	if err := os.WriteFile(path, refusedConnections(n), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What detect prints as attacks is what the way out gets, with the row and who it was; a second run says nothing new.
func TestDetectNotifies(t *testing.T) {
	capture, w := writeCapture(t, 600), newWire()
	args := []string{
		"detect", capture, "-o", "json", "--data-dir", t.TempDir(), "--notify", "a=test:x", "--notify-wait", "10s", "--model", "kdd99",
	}
	var out, log bytes.Buffer
	if err := runWired(t.Context(), w, streams{nil, &out, &log}, args...); err != nil && !errors.Is(err, errAttacks) {
		t.Fatalf("%v\n%s", err, log.Bytes())
	}
	attacks := strings.Count(out.String(), "\n")
	if attacks == 0 || len(w.got) != attacks {
		t.Fatalf("%d attacks printed, %d messages\n%s", attacks, len(w.got), log.Bytes())
	}
	if want := fmt.Sprintf("published: %d\n", attacks); !strings.Contains(log.String(), want) {
		t.Errorf("log is %q, want %q", log.String(), want)
	}
	ids, explained := map[string]bool{}, 0
	for range attacks {
		m := w.next(t)
		checkFinding(t, m, ids)
		if len(m.Alert.Top) > 0 {
			explained++
		}
	}
	if most := 16 * (1 + 600/256); explained == 0 || explained > most {
		t.Errorf("%d attacks have reasons, want 1 to %d", explained, most)
	}
	if err := runWired(t.Context(), w, streams{nil, &out, &log}, args...); err != nil && !errors.Is(err, errAttacks) {
		t.Fatal(err)
	}
	if len(w.got) != 0 {
		t.Errorf("the same capture again sent %d messages", len(w.got))
	}
}

func checkFinding(t *testing.T, m *notify.Message, ids map[string]bool) {
	t.Helper()
	a := m.Alert
	if ids[a.ID] {
		t.Errorf("%s came twice", a.ID)
	}
	ids[a.ID] = true
	if a.Src != netip.MustParseAddr("10.0.0.10") || a.Dst != netip.MustParseAddr("10.0.0.20") || a.DstPort == 0 || a.Proto != 6 ||
		!strings.HasPrefix(a.CommunityID, "1:") || a.Start.Year() != 2020 || a.End.Before(a.Start) || a.Verdict.Model == "" {
		t.Errorf("alert %+v", a)
	}
	var row struct {
		Columns []string `json:"columns"`
		Data    [][]any  `json:"data"`
	}
	if err := json.Unmarshal(m.Body, &row); err != nil || len(row.Data) != 1 || len(row.Data[0]) != len(row.Columns) {
		t.Fatalf("body %s: %v", m.Body, err)
	}
	if n := len(row.Columns); n < 41 || row.Columns[n-1] != "prediction" || row.Data[0][n-1] != 1.0 {
		t.Errorf("columns %v", row.Columns)
	}
}

// A sensor inside serve publishes what it finds, and counts it.
func TestServeWatches(t *testing.T) {
	w := newWire()
	ctx, stop := context.WithCancel(t.Context())
	r, log := pipe(t)
	done := make(chan error, 1)
	go func() {
		done <- runWired(ctx, w, streams{nil, log, log}, "serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(),
			"--pcap", writeCapture(t, 600), "--notify", "a=test:x")
		log.Close()
	}()
	url := awaitAddress(t, r)
	if m := w.next(t); m.Alert.CommunityID == "" {
		t.Errorf("alert %+v", m.Alert)
	}
	flows := regexp.MustCompile(`mlids_sensor_flows_total\{[^}]*model="kdd99"\} [1-9]`)
	sent := regexp.MustCompile(`mlids_notify_sent_total\{way="a"\} [1-9]`)
	deadline := time.Now().Add(10 * time.Second)
	for text := ""; !flows.MatchString(text) || !sent.MatchString(text); {
		if time.Now().After(deadline) {
			t.Fatalf("metrics\n%s", text)
		}
		text = get(t, url+"/metrics")
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
