package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/pflag"

	"mlids"
	"mlids/capture"
)

// livePeriod is how often a live source's flows are looked at while no packets come.
const livePeriod = time.Second

// liveLinger is how long a live connection that has closed waits for late packets before it is judged.
const liveLinger = 2 * time.Second

// packetFlags say where packets come from.
type packetFlags struct {
	file    string
	live    capture.LiveConfig
	follow  bool
	speed   float64
	decoder capture.DecoderConfig

	maxFlows int
}

func (p *packetFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&p.live.Interface, "interface", "", "capture from this interface (any: all), in place of a file")
	flags.StringVar(&p.live.Filter, "filter", "", "read only packets that match, in tcpdump's language")
	flags.IntVar(&p.live.Snap, "snap", 0, "bytes of each packet to capture (default: all)")
	flags.BoolVar(&p.live.Promiscuous, "promiscuous", false, "capture packets that are not for this host, too")
	flags.BoolVar(&p.follow, "follow", false, "go on reading as the file grows, until interrupted")
	flags.Float64Var(&p.speed, "replay-speed", 0, "read a file at this multiple of the pace at which it was captured (default: as fast as possible)")
	flags.IntVar(&p.maxFlows, "max-flows", 0, "open flows at most; then the one silent for longest is cut off (default: 1,048,576)")
	flags.BoolVar(&p.decoder.Decapsulate, "decapsulate", false, "look into one level of IP-in-IP, GRE, GTP-U, VXLAN or Teredo; else the outer packet counts")
}

// arg takes the verb's argument: a capture file, unless an interface is named.
func (p *packetFlags) arg(args []string) error {
	switch {
	case len(args) == 1 && p.live.Interface == "":
		p.file = args[0]
	case len(args) == 0 && p.live.Interface != "":
	default:
		return badInput(errors.New("name either one capture file (- for stdin) or --interface"))
	}
	return p.check()
}

// check refuses flags that the source would not heed.
func (p *packetFlags) check() error {
	live := p.live.Interface != ""
	switch {
	case !(p.speed >= 0):
		return badInput(fmt.Errorf("--replay-speed %v: want a multiple of the capture's pace, above 0, or 0 for as fast as possible", p.speed))
	case p.maxFlows < 0:
		return badInput(fmt.Errorf("--max-flows %d: want a number of flows, or 0 for the default", p.maxFlows))
	case live && (p.follow || p.speed > 0):
		return badInput(errors.New("--follow and --replay-speed are for files, not for interfaces"))
	case !live && (p.live.Snap != 0 || p.live.Promiscuous):
		return badInput(errors.New("--snap and --promiscuous are for interfaces, not for files"))
	}
	return nil
}

// open opens the source. progress says how far it is, in bytes of the file; it is nil for an interface.
func (p *packetFlags) open() (src capture.Source, progress func() (done, size int64), err error) {
	if p.live.Interface != "" {
		p.live.Idle = livePeriod
		src, err = capture.OpenLive(p.live)
		return src, nil, badInput(err)
	}
	file, err := capture.Open(p.file, capture.FileConfig{Follow: p.follow, Ahead: runtime.GOMAXPROCS(0) > 1})
	if err != nil {
		return nil, nil, badInput(err)
	}
	src = file
	if p.live.Filter != "" {
		if src, err = capture.Filter(src, p.live.Filter); err != nil {
			return nil, nil, errors.Join(badInput(err), file.Close())
		}
	}
	if p.speed > 0 {
		src = capture.Replay(src, p.speed)
	}
	return src, file.Progress, nil
}

// sink takes packets, and time while there are none.
type sink interface {
	Add(p *mlids.Packet) error
	Tick(now int64) error
	Flush() error
}

// packets reads the source to its end, or until the program is interrupted, and flushes the sink: whatever is wrong with
// the source, what came before counts.
func (a *app) packets(ctx context.Context, p *packetFlags, to sink) (capture.Counters, error) {
	src, progress, err := p.open()
	if err != nil {
		return capture.Counters{}, err
	}
	defer src.Close()
	unloadStart()
	bar := a.bar("read packets", "B")
	decoder := capture.NewDecoder(p.decoder)
	count, started := 0, time.Now()
	each := func(packet *mlids.Packet) error {
		if count++; count%8192 == 0 && progress != nil {
			bar.at(progress())
			bar.say(fmt.Sprintf("read packets (%.1f million/s)", float64(count)/1e6/time.Since(started).Seconds()))
		}
		return to.Add(packet)
	}
	err = capture.RunIdle(ctx, src, decoder, each, func() error { return to.Tick(time.Now().UnixNano()) })
	bar.finish()
	if ctx.Err() != nil && p.endless() {
		err = nil // being interrupted is how a live capture ends
	}
	if sourceError(err) {
		err = badInput(err)
	}
	err = errors.Join(err, to.Flush())
	a.liveSummary(src)
	return decoder.Counters(), err
}

// endless reports whether only an interrupt ends the source.
func (p *packetFlags) endless() bool { return p.live.Interface != "" || p.follow }

// linger is how long a closed connection waits for late packets.
func (p *packetFlags) linger() time.Duration {
	if p.endless() {
		return liveLinger
	}
	return 0
}

// sourceError reports whether a capture is at fault, or an interface.
func sourceError(err error) bool {
	for _, e := range []error{capture.ErrFormat, capture.ErrTruncated, capture.ErrLength, capture.ErrCorrupt, capture.ErrInterface} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// liveSummary prints the kernel's counters of a live capture on stderr.
func (a *app) liveSummary(src capture.Source) {
	live, ok := src.(*capture.Live)
	if !ok {
		return
	}
	stats, err := live.Stats()
	if err != nil {
		a.log.Warn("kernel counters", "err", err)
		return
	}
	fmt.Fprintf(a.err, "kernel: %d packets received, %d dropped\n", stats.Received, stats.Dropped)
}

// summary prints what a decoder saw on stderr.
func (a *app) summary(c capture.Counters) {
	fmt.Fprintf(a.err, "packets: %d, decoded %d", c.Packets, c.Decoded)
	for _, r := range capture.Reasons() {
		if n := c.Ignored[r]; n > 0 {
			fmt.Fprintf(a.err, ", %s %d", r, n)
		}
	}
	for _, n := range []struct {
		what string
		n    uint64
	}{{"fragments", c.Fragments}, {"longer than their frames", c.BadLength}, {"out of tunnels", c.Tunnelled}} {
		if n.n > 0 {
			fmt.Fprintf(a.err, ", %s %d", n.what, n.n)
		}
	}
	fmt.Fprintln(a.err)
}
