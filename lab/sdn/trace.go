package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"syscall"

	"mlids"
	"mlids/capture"
	"mlids/internal/ovstest"
)

// trace records what passes a host's interface until stop is called, which gives the times of the packets that match, ns
// since the epoch.
func (r *rig) trace(h *ovstest.Host, filter string) (stop func() []int64) {
	r.tb.Helper()
	r.traces++
	path := filepath.Join(r.dir, fmt.Sprintf("%s%d.pcap", h.Name, r.traces))
	cmd := r.net.Command(h, "tcpdump", "-i", h.Interface, "-n", "-s", "96", "-B", "16384", "-U", "-Z", "root", "-w", path, filter)
	text, err := cmd.StderrPipe()
	if err != nil {
		r.tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.tb.Fatal(err)
	}
	lines := bufio.NewReader(text)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			r.tb.Fatalf("tcpdump in %s: %v: %s", h.Name, err, line)
		}
		if strings.Contains(line, "listening on") {
			break
		}
	}
	return func() []int64 {
		r.tb.Helper()
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			r.tb.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, lines)
		_ = cmd.Wait() // tcpdump's own code after an interrupt says nothing
		times, err := packetTimes(path)
		if err != nil {
			r.tb.Fatal(err)
		}
		return times
	}
}

// packetTimes are the times of the packets in a capture.
func packetTimes(path string) ([]int64, error) {
	file, err := capture.Open(path, capture.FileConfig{})
	if err != nil {
		return nil, fmt.Errorf("read trace: %w", err)
	}
	defer file.Close()
	var times []int64
	err = capture.Run(context.Background(), file, capture.NewDecoder(capture.DecoderConfig{}), func(p *mlids.Packet) error {
		times = append(times, p.Time)
		return nil
	})
	if err != nil && !errors.Is(err, capture.ErrTruncated) { // the last packet may have been cut off
		return nil, fmt.Errorf("read trace %s: %w", path, err)
	}
	return times, nil
}
