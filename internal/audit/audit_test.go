package audit

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func open(t *testing.T, path string) *Log {
	t.Helper()
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// read returns the events of a log; each line must be one.
func read(t *testing.T, path string) []Event {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var events []Event
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var e Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		events = append(events, e)
	}
	return events
}

// Two that write the same file do not mix their lines, nor overwrite what was there.
func TestManyWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "audit.jsonl")
	a, b := open(t, path), open(t, path)
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() {
			if err := []*Log{a, b}[i%2].Record(Event{Event: "change", Subject: strconv.Itoa(i)}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	seen := map[string]bool{}
	for _, e := range read(t, path) {
		seen[e.Subject] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d of 100 events", len(seen))
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want mode 0600", info.Mode(), err)
	}
}

// Strangers cannot fill the disk; what they did is counted.
func TestStrangersAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := open(t, path)
	now := time.Unix(1_800_000_000, 0)
	l.now = func() time.Time { return now }
	for range 10_000 {
		if err := l.Stranger(Event{Event: "refused", Path: strings.Repeat("/", 10_000)}); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(time.Second)
	if err := l.Stranger(Event{Event: "refused"}); err != nil {
		t.Fatal(err)
	}
	events := read(t, path)
	if len(events) != strangersBurst+1 || events[strangersBurst].Left != 10_000-strangersBurst {
		t.Errorf("%d lines, the last leaves out %d", len(events), events[len(events)-1].Left)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > strangersBurst*600 {
		t.Errorf("%d bytes, %v", info.Size(), err)
	}
}

// Whatever a text holds, it stays within its line.
func TestTextsStayInTheirLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := open(t, path)
	if err := l.Record(Event{Event: "request", Path: "/a\n{\"event\":\"forged\"}\r\x1b[2J\xff"}); err != nil {
		t.Fatal(err)
	}
	if events := read(t, path); len(events) != 1 || events[0].Event != "request" {
		t.Errorf("%+v", events)
	}
}

func TestNoLog(t *testing.T) {
	var l *Log
	if l.Record(Event{}) != nil || l.Stranger(Event{}) != nil || l.Close() != nil {
		t.Error("a log that is not kept failed")
	}
	if _, err := Open(filepath.Join(os.DevNull, "x")); err == nil {
		t.Error("a log below a file")
	}
}
