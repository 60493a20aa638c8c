package mitigate

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A disk that does not come to an end with writing delays no block. A pipe that nobody reads stands for it.
func TestSlowDiskDelaysNoBlock(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, auditName)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skipf("needs named pipes: %v", err)
	}
	pipe, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if err := pipe.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Skipf("needs pipes with deadlines: %v", err)
	}
	for err == nil { // until it is full
		_, err = pipe.Write(make([]byte, 4096))
	}
	n := &network{blocks: map[string]Block{}}
	d, err := New(Config{Dir: dir}, Deps{Log: slog.New(slog.DiscardHandler), Register: prometheus.NewRegistry(), Enforcer: n})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	for range 150 {
		d.Observe(verdict(attacker, victim, "dos", near))
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(5 * time.Second); !n.has(idOf(Match{Src: single(attacker), Port: near})); <-tick.C {
		if time.Now().After(deadline) {
			t.Error("the block waits for the disk")
			break
		}
	}
	go func() { // let it end
		buffer := make([]byte, 4096)
		for {
			if _, err := pipe.Read(buffer); err != nil {
				return
			}
		}
	}()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
