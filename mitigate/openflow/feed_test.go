package openflow

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"mlids"
	"mlids/capture"
)

func TestFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := newFeed(2, time.Second)
		feed.push([]byte("one"), 1500, mlids.Port{}, 0)
		feed.push([]byte("two"), 3, mlids.Port{Switch: 1, Number: 2}, 0)
		feed.push([]byte("three"), 5, mlids.Port{}, 0) // finds it full
		var f capture.Frame
		for _, want := range []string{"one", "two"} {
			if err := feed.Next(t.Context(), &f); err != nil || string(f.Data) != want {
				t.Fatalf("%q, %v, want %q", f.Data, err, want)
			}
		}
		if f.WireLen != 3 || f.Ingress != (mlids.Port{Switch: 1, Number: 2}) || f.Link != capture.LinkEthernet || f.Time != time.Now().UnixNano() {
			t.Errorf("%+v", f)
		}
		if feed.Dropped() != 1 {
			t.Errorf("%d dropped, want 1", feed.Dropped())
		}
		if err := feed.Next(t.Context(), &f); !errors.Is(err, capture.ErrIdle) {
			t.Errorf("nothing there: %v", err)
		}
		go func() {
			time.Sleep(100 * time.Millisecond)
			feed.push([]byte("late"), 4, mlids.Port{}, 0)
		}()
		if err := feed.Next(t.Context(), &f); err != nil || string(f.Data) != "late" {
			t.Errorf("%q, %v", f.Data, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := feed.Next(ctx, &f); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: %v", err)
		}
		feed.Close()
		if err := feed.Next(t.Context(), &f); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("closed: %v", err)
		}
	})
}

func TestFeedDoesNotAllocate(t *testing.T) {
	feed := newFeed(64, time.Second)
	frame := make([]byte, 200)
	var f capture.Frame
	once := func() {
		feed.push(frame, 200, mlids.Port{}, 0)
		if err := feed.Next(t.Context(), &f); err != nil {
			t.Fatal(err)
		}
	}
	for range 128 {
		once()
	}
	if n := testing.AllocsPerRun(100, once); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
