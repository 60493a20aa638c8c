package capture

import "time"

// LiveConfig says what is captured from a live interface. The zero value of each field but Interface is usable.
type LiveConfig struct {
	Interface   string        // name, or "any" for all interfaces
	Snap        int           // bytes of each frame to keep; 0 for MaxFrame
	Promiscuous bool          // also frames that are addressed to others
	Filter      string        // in the language of package filter; the kernel runs it
	RingBytes   int           // memory of the ring, rounded to blocks of 1 MiB; 0 for 32 MiB
	FanoutGroup uint16        // sources with the same number, not 0, share the traffic: each flow goes to one of them
	Idle        time.Duration // after how long without a frame Next returns ErrIdle; 0 for never
}

// LiveStats are the kernel's counters of one ring, since it was opened.
type LiveStats struct {
	Received uint64 // frames that went into the ring
	Dropped  uint64 // frames that found the ring full
	Freezes  uint64 // how often it was full
}

// AnyInterface is the name that stands for all interfaces.
const AnyInterface = "any"

const (
	ringBlock     = 1 << 20
	ringBytes     = 32 << 20
	maxRingBlocks = 4096
)

// blocks is how many blocks the ring has.
func (c LiveConfig) blocks() int {
	if c.RingBytes <= 0 {
		return ringBytes / ringBlock
	}
	return min(max(c.RingBytes/ringBlock, 2), maxRingBlocks)
}

// snap is how many bytes of a frame are kept.
func (c LiveConfig) snap() uint32 {
	if c.Snap <= 0 || c.Snap > MaxFrame {
		return MaxFrame
	}
	return uint32(c.Snap)
}
