//go:build !linux

package capture

import (
	"context"
	"time"
)

// waiter waits for nothing here: a read from standard input ends when its writer does.
type waiter struct{}

func newWaiter(int) (*waiter, error) { return &waiter{}, nil }

// Close does nothing.
func (w *waiter) Close() error { return nil }

func (w *waiter) wait(ctx context.Context, _ time.Duration) (bool, error) { return true, ctx.Err() }
