package capture

import "mlids"

// Reason says what became of a frame: Decoded, or why it was ignored.
type Reason uint8

// The reasons for which a decoder ignores a frame.
const (
	Decoded         Reason = iota
	ARP                    // address resolution
	UnknownLink            // a link type the decoder does not know
	LLC                    // 802.3 frames with an LLC header: spanning tree, IS-IS, IPX
	NotIP                  // any other payload of a link
	TruncatedHeader        // the capture's snap length cut a header off
	BadLength              // a header too short for its protocol, or longer than what it is in
	BadVersion             // an IP version other than the one announced
	LostFragment           // a later fragment whose first one was not seen
	Nested                 // more tags, labels or extension headers than real packets have
	numReasons
)

var reasonNames = [numReasons]string{
	"decoded", "arp", "unknown_link", "llc", "not_ip", "truncated_header", "bad_length", "bad_version",
	"fragment_without_first", "nested",
}

// String is the reason's name in summaries and metrics.
func (r Reason) String() string {
	if r < numReasons {
		return reasonNames[r]
	}
	return "unknown"
}

// Counters add up what a decoder did.
type Counters struct {
	Packets   uint64 // frames seen
	Bytes     uint64 // their bytes on the wire
	Decoded   uint64
	Ignored   [numReasons]uint64 // by reason; the place of Decoded stays 0
	Fragments uint64             // decoded packets that are fragments, attributed ones included
	BadLength uint64             // decoded packets with BadLength
	BadSum    uint64             // decoded packets with BadChecksum
	Tunnelled uint64             // packets that were replaced by the one in their tunnel
}

// Reasons are all reasons for ignoring a frame, in the order of Counters.Ignored.
func Reasons() []Reason {
	all := make([]Reason, 0, numReasons-1)
	for r := Decoded + 1; r < numReasons; r++ {
		all = append(all, r)
	}
	return all
}

func (c *Counters) count(p *mlids.Packet, reason Reason) {
	c.Packets++
	c.Bytes += uint64(p.WireLen)
	if reason != Decoded {
		c.Ignored[reason]++
		return
	}
	c.Decoded++
	if p.Fragment {
		c.Fragments++
	}
	if p.BadLength {
		c.BadLength++
	}
	if p.BadChecksum {
		c.BadSum++
	}
}
