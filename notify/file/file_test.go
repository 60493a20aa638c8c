package file_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"mlids"
	"mlids/notify"
	"mlids/notify/file"
)

func message(id string) *notify.Message {
	return &notify.Message{
		Kind:  notify.Prediction,
		Alert: mlids.Alert{ID: id, Verdict: mlids.Verdict{Attack: true, Class: "dos", Model: "m"}},
		Body:  []byte(`{"columns":["prediction"],"data":[[1]]}`),
	}
}

// clock is a time that the test moves.
type clock struct{ now time.Time }

func (c *clock) get() time.Time { return c.now }

func newSink(t *testing.T, path, query string, c *clock) *file.Sink {
	t.Helper()
	cfg, err := file.Parse(&url.URL{Scheme: "file", Path: path, RawQuery: query})
	if err != nil {
		t.Fatal(err)
	}
	s, err := file.New(cfg, file.Deps{Now: c.get})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func send(t *testing.T, s *file.Sink, ids ...string) {
	t.Helper()
	var batch []*notify.Message
	for _, id := range ids {
		batch = append(batch, message(id))
	}
	if err := s.Send(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

// ids reads the ids of the alerts in files, in the order of the files' names; every line must be whole.
func ids(t *testing.T, pattern string) string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var row struct{ Alert struct{ ID string } }
			if err := json.Unmarshal(line, &row); err != nil || !bytes.HasSuffix(line, []byte("}\n")) {
				t.Fatalf("%s: line %q: %v", path, line, err)
			}
			list = append(list, row.Alert.ID)
		}
	}
	return strings.Join(list, " ")
}

func TestLines(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "new", "alerts.json")
	s := newSink(t, path, "", &clock{})
	send(t, s, "a", "b")
	send(t, s, "c")
	if got := ids(t, path); got != "a b c" {
		t.Errorf("got %s", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	send(t, newSink(t, path, "", &clock{}), "d") // after a restart
	if got := ids(t, path); got != "a b c d" {
		t.Errorf("got %s", got)
	}
}

func TestFormats(t *testing.T) {
	for format, want := range map[string]string{"eve": `"event_type":"alert"`, "ecs": `"@timestamp"`, "row": `"row":{"columns"`} {
		path := filepath.Join(t.TempDir(), "x")
		send(t, newSink(t, path, "format="+format, &clock{}), "a")
		if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %s, %v", format, text, err)
		}
	}
}

// logrotate and people move files away, and truncate them.
func TestMovedAway(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "alerts.json")
	s := newSink(t, path, "", &clock{})
	send(t, s, "a")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	send(t, s, "b")
	if first, second := ids(t, path+".1"), ids(t, path); first != "a" || second != "b" {
		t.Errorf("moved: %s, new: %s", first, second)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	send(t, s, "c")
	if err := os.Truncate(path, 0); err != nil { // copytruncate
		t.Fatal(err)
	}
	send(t, s, "d")
	if got := ids(t, path); got != "d" {
		t.Errorf("after removal and truncation: %s", got)
	}
}

func TestRotation(t *testing.T) {
	c := &clock{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	dir := t.TempDir()
	foreign := filepath.Join(dir, "alerts-notes.json")
	if err := os.WriteFile(foreign, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "alerts.json")
	s := newSink(t, path, "size=1KiB&count=3&age=10h", c)
	for i := range 40 {
		c.now = c.now.Add(time.Minute)
		send(t, s, strconv.Itoa(i), strconv.Itoa(i)+"x")
	}
	if got := ids(t, filepath.Join(dir, "alerts-2*.json")); len(strings.Fields(got)) == 0 || strings.HasPrefix(got, "0 ") {
		t.Errorf("old files hold %s", got)
	}
	old, _ := filepath.Glob(filepath.Join(dir, "alerts-2*.json"))
	if len(old) != 3 {
		t.Errorf("%d old files, want 3", len(old))
	}
	for _, p := range append(old, path) {
		if info, err := os.Stat(p); err != nil || info.Size() > 1024 {
			t.Errorf("%s: %v bytes, %v", p, info.Size(), err)
		}
	}
	c.now = c.now.Add(11 * time.Hour)
	for i := range 4 {
		send(t, s, fmt.Sprint("late", i))
	}
	for i := range 4 {
		send(t, s, fmt.Sprint("later", i), "x")
	}
	old, _ = filepath.Glob(filepath.Join(dir, "alerts-2*.json"))
	for _, p := range old {
		if text, _ := os.ReadFile(p); strings.Contains(string(text), `"39"`) && !strings.Contains(string(text), "late") {
			t.Errorf("%s is older than 10 h", p)
		}
	}
	if text, err := os.ReadFile(foreign); err != nil || string(text) != "mine" {
		t.Errorf("a file that is not ours: %s, %v", text, err)
	}
}

// Old files that are not yet too old stay, however the path is spelled.
func TestSpelledPaths(t *testing.T) {
	c := &clock{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	dir := t.TempDir()
	s := newSink(t, dir+"//./alerts.json", "size=1KiB&age=10h", c)
	for i := range 8 {
		c.now = c.now.Add(time.Minute)
		send(t, s, strconv.Itoa(i), "x", "x")
	}
	if got := ids(t, filepath.Join(dir, "alerts*.json")); strings.Count(got, "x") != 16 {
		t.Errorf("of 16 messages of the last hour %d are left: %s", strings.Count(got, "x"), got)
	}
}

// A crash in the middle of a line leaves a torn one: it is cut off, for its message was not answered for.
func TestTornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.json")
	s := newSink(t, path, "", &clock{})
	send(t, s, "a")
	s.Close()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"torn":"` + strings.Repeat("x", 100<<10)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	send(t, newSink(t, path, "", &clock{}), "b")
	if got := ids(t, path); got != "a b" {
		t.Errorf("got %s", got)
	}
}

func TestFailures(t *testing.T) {
	s := newSink(t, t.TempDir(), "", &clock{}) // a folder
	if err := s.Send(t.Context(), []*notify.Message{message("a")}); err == nil || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("to a folder: %v", err)
	}
	bad := message("bad")
	bad.Body = []byte("{")
	path := filepath.Join(t.TempDir(), "x")
	err := newSink(t, path, "", &clock{}).Send(t.Context(), []*notify.Message{message("a"), bad, message("b")})
	var partial *notify.PartialError
	if !errors.As(err, &partial) || partial.Errs[0] != nil || !errors.Is(partial.Errs[1], notify.ErrPermanent) || ids(t, path) != "a b" {
		t.Errorf("one bad of three: %v", err)
	}
	if _, err := os.Stat("/dev/full"); err == nil {
		s := newSink(t, "/dev/full", "", &clock{})
		if err := s.Send(t.Context(), []*notify.Message{message("a")}); !errors.Is(err, file.ErrPath) {
			t.Errorf("to a device: %v", err)
		}
	}
}

func TestParse(t *testing.T) {
	for _, s := range []string{"file://", "file:///", "file://host/x", "file:///x?size=1", "file:///x?format=xml", "file:///x?sise=1GB"} {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Parse(u); err == nil {
			t.Errorf("%s was read", s)
		}
	}
	if _, err := file.New(file.Config{}, file.Deps{}); err == nil {
		t.Error("a sink without a path was made")
	}
}
