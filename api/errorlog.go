package api

import (
	"context"
	"log"
	"log/slog"
	"strings"

	"golang.org/x/time/rate"
)

// errorLog takes what net/http has to say of connections. Strangers can make it say things (a broken TLS handshake), so it says
// no more than a few a second.
type errorLog struct {
	log   *slog.Logger
	limit *rate.Limiter
}

func newErrorLog(l *slog.Logger) *log.Logger {
	return log.New(errorLog{l, rate.NewLimiter(5, 20)}, "", 0)
}

// Write logs one message.
func (e errorLog) Write(p []byte) (int, error) {
	if e.limit.Allow() {
		e.log.LogAttrs(context.Background(), slog.LevelWarn, strings.TrimSuffix(string(p), "\n"))
	}
	return len(p), nil
}
