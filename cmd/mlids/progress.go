package main

import (
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// bar shows progress on stderr when that is a terminal, and nothing elsewhere. A nil bar is a silent one.
type bar struct{ b *progressbar.ProgressBar }

// bar starts a progress bar; unit is what it counts ("rows", "packets", "B" for bytes).
func (a *app) bar(what, unit string) *bar {
	f, ok := a.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(what), progressbar.OptionThrottle(100 * time.Millisecond),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true), progressbar.OptionShowCount(),
	}
	if unit == "B" {
		options = append(options, progressbar.OptionShowBytes(true))
	} else {
		options = append(options, progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit))
	}
	return &bar{progressbar.NewOptions64(-1, options...)}
}

// at moves the bar to done of total; a total of 0 or less is not known.
func (b *bar) at(done, total int64) {
	if b == nil {
		return
	}
	if total > 0 && b.b.GetMax64() != total {
		b.b.ChangeMax64(total)
	}
	_ = b.b.Set64(done) // a bar that cannot be drawn is no reason to stop
}

// say changes what the bar tells.
func (b *bar) say(what string) {
	if b != nil {
		b.b.Describe(what)
	}
}

// finish clears the bar away.
func (b *bar) finish() {
	if b != nil {
		_ = b.b.Finish()
	}
}
