//go:build !linux

package capture

import (
	"context"
	"fmt"
	"runtime"
)

// Live captures from an interface, which needs Linux.
type Live struct{}

// OpenLive fails: the ring of AF_PACKET is Linux's.
func OpenLive(LiveConfig) (*Live, error) {
	return nil, fmt.Errorf("live capture works on Linux only, not on %s: %w", runtime.GOOS, ErrInterface)
}

// Next fails.
func (*Live) Next(context.Context, *Frame) error { return ErrInterface }

// Stats are all 0.
func (*Live) Stats() (LiveStats, error) { return LiveStats{}, nil }

// Close does nothing.
func (*Live) Close() error { return nil }
