package capture

import (
	"context"
	"errors"
	"fmt"

	"mlids"
)

// The ways in which a source fails. Each comes wrapped with the file's name, the packet's number and the offset.
var (
	ErrFormat    = errors.New("not a pcap or pcapng capture")
	ErrTruncated = errors.New("truncated capture")
	ErrLength    = errors.New("length out of bounds")
	ErrCorrupt   = errors.New("corrupt capture")
	ErrFilter    = errors.New("bad filter")
	ErrInterface = errors.New("interface unusable")
)

// ErrIdle is what a live source returns when no frame has come for LiveConfig.Idle, so that its reader can see to what is
// due. The next Next goes on waiting.
var ErrIdle = errors.New("no packet")

// MaxFrame is the longest frame a capture may hold, in bytes: the largest snap length of libpcap.
const MaxFrame = 262144

// Frame is one captured frame as it stood on the link.
type Frame struct {
	Data    []byte // the captured bytes, in the source's buffer: valid until the source's next Next or Close
	Time    int64  // nanoseconds since the Unix epoch
	WireLen uint32 // bytes of the frame on the wire, at least len(Data)
	Link    LinkType
	Unready bool // this host sent it, and left its transport checksum to the network card

	Ingress mlids.Port // where it entered the network, when the source knows
	Unseen  uint32     // see [mlids.Packet]: Data then has headers alone, made up from what the source knows of the flow

	block *block // that Data lies in, where it lasts until that is given back
}

// Source gives frames one after the other. It belongs to one goroutine.
type Source interface {
	// Next fills f with the next frame. At the end it returns io.EOF; after any error it returns that error again. It
	// waits for bytes no longer than ctx lives and then returns ctx.Err().
	Next(ctx context.Context, f *Frame) error
	// Close gives back the file or the ring. Frames of the source become invalid.
	Close() error
}

// contextPeriod is after how many packets Run looks whether it should stop: sources look only where they wait.
const contextPeriod = 1024

// Run reads src to its end, decodes every frame with dec and hands each decoded packet to each, in order. The packet and
// its payload are valid until each returns. Run returns nil at the end of the source, else the error of the source, of
// each or of ctx; the packets in front of the error have been handed over. A file that was opened to be read ahead is read
// and decoded on a goroutine of its own while Run runs.
func Run(ctx context.Context, src Source, dec *Decoder, each func(*mlids.Packet) error) error {
	return RunIdle(ctx, src, dec, each, func() error { return nil })
}

// RunIdle is Run for live sources: it calls idle, from the same goroutine, whenever the source returns ErrIdle.
func RunIdle(ctx context.Context, src Source, dec *Decoder, each func(*mlids.Packet) error, idle func() error) error {
	if s, ok := src.(aheadOf); ok && s.ahead(!dec.cfg.HeadersOnly) {
		return runAhead(ctx, src, dec, each)
	}
	var f Frame
	var p mlids.Packet
	for n := 1; ; n++ {
		if n%contextPeriod == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := src.Next(ctx, &f); err != nil {
			if !errors.Is(err, ErrIdle) {
				return endOf(err)
			}
			if err := idle(); err != nil {
				return fmt.Errorf("idle: %w", err)
			}
			continue
		}
		if dec.Decode(&f, &p) != Decoded {
			continue
		}
		if err := each(&p); err != nil {
			return fmt.Errorf("packet %d: %w", n, err)
		}
	}
}
