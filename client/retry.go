package client

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// busy reports whether a later try may do better.
func busy(res *http.Response) bool {
	return res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable
}

// wait waits before the next try: twice as long each time, and as the server asks in seconds (RFC 9110, section 10.2.3).
// Up to half of it more, at random, keeps clients that were sent away together from coming back together.
func (c *Client) wait(ctx context.Context, try int, res *http.Response) error {
	pause := c.o.Wait << min(try-1, 30)
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
		pause = max(pause, time.Duration(min(seconds, 1<<30))*time.Second)
	}
	pause = min(pause, c.o.MaxWait)
	pause += rand.N(pause/2 + 1)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
