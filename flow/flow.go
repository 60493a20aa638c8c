package flow

import (
	"time"

	"mlids"
)

// Flow is one flow in a table. The table owns it: handlers may keep no pointer to it after End.
type Flow[S any] struct {
	Key    mlids.FlowKey   // as the first packet had it, unless Begin turned it round
	Reason mlids.EndReason // EndNone while the flow is open
	Heir   bool            // ended because the next packet of its key began another flow, which Begin got it for
	First  int64           // time of the first packet, ns since the epoch
	Last   int64           // latest time of its packets
	End    int64           // when it ended; see the package documentation
	Seq    uint64          // number of the packet, counted over the table's life, with which it began

	Ingress mlids.Port // of the first packet
	Answer  bool       // the first packet was an answer, see [mlids.Packet.Answers]

	tag        uint32 // hash, to find its index entry
	bucket     uint32 // of the wheel
	prev, next ref    // in the bucket
	older      ref    // in order of last use
	newer      ref
	used       int64 // tick of last use, roughly

	State S // the handler's; zero at Begin
}

// Action is what a packet does to its flow.
type Action uint8

// The actions.
const (
	Keep     Action = iota // the packet was added; the flow goes on
	CloseFIN               // it was added and completes the closing of the connection
	Reopen                 // it belongs to a new connection: the flow ends without it and another begins with it
)

var actionReason = [...]mlids.EndReason{mlids.EndNone, mlids.EndFIN, mlids.EndReopen}

// Timer is a Handler whose flows have idle time-outs of their own, by what their state says. It is asked when a flow has
// begun and after each packet; 0 is never. Config.Idle then counts for nothing.
type Timer[S any] interface {
	Idle(f *Flow[S]) time.Duration
}

// Handler gives flows their meaning. Its methods are called from within the table's, on the same goroutine, and must not
// call the table.
type Handler[S any] interface {
	// Begin starts a flow with its first packet. It may turn f.Key round, when the packet is known to be an answer. prev
	// is the flow of the same key that ended because of this packet, nil if there is none.
	Begin(f, prev *Flow[S], p *mlids.Packet)
	// Add adds a further packet, unless the answer is Reopen. fwd says that the packet goes from f.Key.Src to f.Key.Dst.
	Add(f *Flow[S], p *mlids.Packet, fwd bool) Action
	// End takes a flow that has ended; f is valid during the call.
	End(f *Flow[S])
}
