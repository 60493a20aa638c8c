// Package flow gathers packets into bidirectional flows.
//
// A [Table] finds the flow of each packet by addresses, ports and protocol in either direction, hands both to a
// [Handler], and tells the handler when a flow has ended and why. What a flow remembers (the state S) and when a packet
// ends it are the handler's business, so that each schema of features can have the meaning of the tool it follows; time
// passing, memory and order are the table's.
//
// # Life of a flow
//
// The first packet of a key begins a flow and sets its direction. Later packets of the same key, either way round, are
// added to it until
//   - the handler says that a packet closes it (FIN, RST) or belongs to a new connection (reopened),
//   - it has been open for longer than the active time-out, or silent for longer than the idle time-out,
//   - the table is full and it has been silent the longest (evicted), or
//   - the source ends.
//
// # Time
//
// Time is the packets' own. The clock is the latest time seen, so a packet that is late does not turn it back; its flow
// gets the packet with the time it has. A packet that lies more than ten minutes behind the clock is taken as a clock
// that was set back, and the time-outs of open flows count from their own times as before. Time-outs are exact for a
// packet of the flow itself (one later than the deadline begins a new flow) and are noticed for silent flows within one
// tick of the wheel, 67 ms.
//
// # Order
//
// Flows are reported by the time at which they ended, those that ended at the same instant by the order in which they
// began. The end of a timed-out flow is its deadline; the end of a flow that is open when the source ends is the last
// time seen. The order does not depend on hashes.
package flow
