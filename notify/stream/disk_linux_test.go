package stream

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"mlids"
	"mlids/notify"
)

// smallDisk mounts a file system of so many MiB.
func smallDisk(t *testing.T, mib int) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mib)); err != nil {
		t.Skipf("needs root to mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil { // a server that has ended may still be removing what was purged
			t.Error(err)
		}
	})
	return dir
}

func fill(t *testing.T, file string, mib int) {
	t.Helper()
	if err := os.WriteFile(file, make([]byte, mib<<20), 0o600); err != nil {
		t.Fatal(err)
	}
}

// rows are n messages with bodies of 100 kB.
func rows(prefix string, n int) []*notify.Message {
	list := make([]*notify.Message, n)
	for i := range list {
		list[i] = &notify.Message{Kind: notify.Prediction, Body: fmt.Appendf(nil, "%100000d", i), Alert: mlids.Alert{
			ID: fmt.Sprintf("%s-%d", prefix, i), Verdict: mlids.Verdict{Attack: true, Model: "m"},
		}}
	}
	return list
}

func openOn(t *testing.T, dir string, sync Sync) *Stream {
	t.Helper()
	s, err := Open(t.Context(), Config{Dir: dir, Sync: sync, Timeout: 2 * time.Second}, Deps{Log: slog.New(slog.DiscardHandler), Register: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// fillUp publishes until the stream refuses, and tells what was stored and why no more was.
func fillUp(t *testing.T, s *Stream) (stored map[string]bool, err error) {
	t.Helper()
	stored = map[string]bool{}
	for i := range 1000 {
		batch := rows(strconv.Itoa(i), 8)
		if err := s.Publish(t.Context(), batch); err != nil {
			return stored, err
		}
		for _, m := range batch {
			stored[m.Alert.ID] = true
		}
	}
	t.Fatal("the disk does not fill")
	return nil, nil
}

// wantAll reads until all that was stored has come, whatever else comes.
func wantAll(t *testing.T, in *Feed, stored map[string]bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); len(stored) > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("%d messages that were stored do not come", len(stored))
		}
		items, err := in.Next(t.Context(), 100)
		if err != nil {
			continue // the server has just started again
		}
		for _, it := range items {
			delete(stored, it.Message.Alert.ID)
			if err := it.Ack(); err != nil {
				t.Error(err)
			}
		}
	}
}

// A disk that others fill is refused before a write fails; when they make room, it goes on.
func TestDiskOfOthersIsFull(t *testing.T) {
	dir := smallDisk(t, 64)
	s := openOn(t, filepath.Join(dir, "stream"), SyncProcess)
	in, err := s.Feed(t.Context(), "one", notify.Filter{}, false)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other")
	fill(t, other, 36)
	stored, err := fillUp(t, s)
	if !errors.Is(err, ErrFull) || s.server.broken.Load() {
		t.Fatalf("after %d messages: %v", len(stored), err)
	}
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(t.Context(), rows("more", 1)); err != nil {
		t.Fatal(err)
	}
	stored["more-0"] = true
	wantAll(t, in, stored)
}

// A write that failed refuses what was to be stored, and all that comes after; when there is room, the files are opened again, all
// that was confirmed is there, and it goes on without a restart of the process.
func TestWriteFails(t *testing.T) {
	for _, sync := range []Sync{SyncProcess, SyncPower} {
		t.Run(string(sync), func(t *testing.T) {
			dir := smallDisk(t, 24)
			s := openOn(t, filepath.Join(dir, "stream"), sync)
			in, err := s.Feed(t.Context(), "one", notify.Filter{}, false)
			if err != nil {
				t.Fatal(err)
			}
			other := filepath.Join(dir, "other")
			fill(t, other, 12)
			s.reserve = -1 << 30 // as if others took the last of the disk after it was looked at
			stored, err := fillUp(t, s)
			if err == nil || !s.server.broken.Load() {
				t.Fatalf("after %d messages: %v", len(stored), err)
			}
			if err := s.Publish(t.Context(), rows("none", 1)); !errors.Is(err, ErrFull) {
				t.Errorf("published to a store whose write failed: %v", err)
			}
			if err := os.Remove(other); err != nil {
				t.Fatal(err)
			}
			s.reserve = 0
			if err := s.mend(); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(10 * time.Second); ; {
				if err = s.Publish(t.Context(), rows("more", 1)); err == nil {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("there is room, and still: %v", err)
				}
			}
			stored["more-0"] = true
			wantAll(t, in, stored)
		})
	}
}

// Batches that are copies, in whole or in part, are stored once.
func TestBatchOfCopies(t *testing.T) {
	s := openOn(t, t.TempDir(), SyncPower)
	in, err := s.Feed(t.Context(), "one", notify.Filter{}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{20, 20, 30, 60} {
		if err := s.Publish(t.Context(), rows("x", n)); err != nil {
			t.Fatal(err)
		}
	}
	if lag, err := in.Lag(t.Context()); err != nil || lag != 60 {
		t.Errorf("%d messages, want 60 (%v)", lag, err)
	}
}

// What was delivered and is only kept for its age makes room on a disk that others fill, however far the queue is from its own limit.
func TestDeliveredMakesRoomOnTheDisk(t *testing.T) {
	dir := smallDisk(t, 64)
	s := openOn(t, filepath.Join(dir, "stream"), SyncProcess)
	in, err := s.Feed(t.Context(), "one", notify.Filter{}, false)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := fillUp(t, s)
	if !errors.Is(err, ErrFull) {
		t.Fatalf("after %d messages: %v", len(stored), err)
	}
	wantAll(t, in, stored)
	for deadline := time.Now().Add(10 * time.Second); ; { // the server has yet to hear of the last acknowledgements
		if err = s.Publish(t.Context(), rows("more", 8)); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("all is delivered, and still: %v", err)
		}
	}
	for i := range 8 {
		stored[fmt.Sprintf("more-%d", i)] = true
	}
	wantAll(t, in, stored)
}
