// Package mitigate turns alerts into blocks in the network.
//
//	alert → policy (who, how often; allow-list, limits, dry run) → Block → Enforcer, undone when its time is over
//
// The policy knows no network; below this package is a leaf for each kind that carries blocks out.
package mitigate

import (
	"context"
	"net/netip"
	"time"

	"mlids"
)

// Kind is what a block does with the packets that it matches.
type Kind string

// The kinds of blocks.
const (
	Drop     Kind = "drop"
	Limit    Kind = "limit"    // let pass no more than Rate
	Redirect Kind = "redirect" // send to ToPort of the switch instead
)

// Match says which packets a block concerns. Zero fields match all; at least one of Src, Dst and Port is set.
type Match struct {
	Src, Dst         netip.Prefix
	Proto            uint8
	SrcPort, DstPort uint16 // with Proto TCP, UDP or SCTP only

	// Port is where packets enter the network. A block that has one concerns only what enters there: whoever forges the
	// address of a host behind another port does that host no harm.
	Port Port
}

// Port is a port of a switch, named by the enforcer that knows it. The zero Port is none.
type Port = mlids.Port

// Block is one measure against an attack. It is applied until it is lifted; who applied it lifts it, at Until at the latest.
type Block struct {
	ID     string // 12 lower-case hex digits, as much as a switch keeps of it; the same while the measure lasts, over restarts
	Kind   Kind
	Match  Match
	Rate   uint32 // packets per second, of Limit
	ToPort uint32 // of Redirect
	Until  time.Time
	Reason string // for the audit log: model, class, probability, addresses
}

// Enforcer carries blocks out. It is safe for concurrent use.
//
// Packets that an enforcer feeds to a sensor carry Ingress: the port of the edge at which they entered the network, each
// packet once, however many switches it crosses. The same Port is what Match.Port then names.
type Enforcer interface {
	// Name is how configuration and logs call it.
	Name() string
	// Apply makes the block work at Match.Port if there is one, else at the place nearest the source that the enforcer
	// knows. Applying a block again renews its time. It returns when the network confirmed it. While the network cannot
	// be reached it fails; the caller tries again.
	Apply(ctx context.Context, b Block) error
	// Lift takes a block back, known by its ID alone. Lifting one that is not there is no error.
	Lift(ctx context.Context, b Block) error
	// Blocks lists the IDs of the blocks that are in the network now, whoever put them there: after a restart, and every
	// few seconds to apply again what a switch has lost.
	Blocks(ctx context.Context) ([]string, error)
}

// Locator is an Enforcer that knows where packets come in.
type Locator interface {
	// Locate finds the port through which packets of a source address last entered the network.
	Locate(src netip.Addr) (Port, bool)
}

// Allower is an Enforcer that can let sources pass whatever the blocks say. Blocks without Src (all that enters a port for
// a destination) would touch them otherwise.
type Allower interface {
	// Allow takes the list of sources that no block concerns, in place of the list before. It holds for switches that
	// connect later, too.
	Allow(ctx context.Context, sources []netip.Prefix) error
}
