package openflow

import (
	"time"

	"mlids/mitigate/openflow/ofp"
)

// node is a switch in the network.
type node struct {
	id     uint64
	send   func(ofp.Message) // nil while the switch is away
	ports  map[uint32]*port
	links  []link // to switches that are there, by port
	left   time.Time
	slave  bool // it takes no commands from us
	meters bool // it has meters that drop
	own    bool // a meter for each port
	copies bool // it can copy to the controller through a meter
	flows  int  // forwarding flows, by the last count and what was added since
	known  []sighting
}

// link leads from one of a node's ports to another switch.
type link struct {
	port uint32
	to   point
}

// sighting is a host that flows of an earlier run of the controller tell of.
type sighting struct {
	port uint32
	key  hostKey
}

// port is a port of a node.
type port struct {
	ofp.Port
	since  time.Time // when it came up
	linked bool
	peer   point     // where the link leads
	heard  time.Time // the last probe over the link
	hosts  *lru[hostKey, struct{}]
	tokens bucket // of exact flows
	asks   bucket // of packets that ask for a way
}

// bucket lets through a rate with a burst of twice as much.
type bucket struct {
	tokens float64
	at     time.Time
}

// take reports whether there was a token.
func (b *bucket) take(now time.Time, rate int) bool {
	if b.at.IsZero() {
		b.tokens = 2 * float64(rate)
	} else {
		b.tokens = min(b.tokens+now.Sub(b.at).Seconds()*float64(rate), 2*float64(rate))
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

func newPort(p ofp.Port, now time.Time, hosts int) *port {
	return &port{Port: p, since: now, hosts: newLRU[hostKey, struct{}](hosts)}
}

// real reports whether a number is that of a port that packets come from.
func realPort(number uint32) bool {
	return number > 0 && number < ofp.PortMax || number == ofp.PortLocal
}

// here reports whether the node takes commands.
func (n *node) here() bool { return n.send != nil && !n.slave }

// Numbers of meters. Those of a port are found from its number, so that a controller that starts again finds them.
const (
	meterMiss      = 1 // shared by the ports that have none of their own
	meterCopy      = 2
	firstMeter     = 16 // of blocks
	lastMeter      = 0xffff
	firstPortMeter = 0x10000
	ownMeters      = firstPortMeter + 2*0x10000
)

func (n *node) missMeter(port uint32) uint32 { return n.meter(port, meterMiss) }
func (n *node) copyMeter(port uint32) uint32 { return n.meter(port, meterCopy) }

func (n *node) meter(port, kind uint32) uint32 {
	switch {
	case !n.meters:
		return 0
	case n.own && port <= 0xffff:
		return firstPortMeter + 2*port + kind - 1
	}
	return kind
}
