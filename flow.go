package mlids

// FlowKey names a bidirectional flow as its first packet had it: Src is who spoke first. ICMP flows carry type and code
// of the first packet in the port fields' place (SrcPort type<<8|code, DstPort the identifier).
type FlowKey struct {
	Src, Dst         Addr
	SrcPort, DstPort uint16
	Proto            uint8
}

// Reverse is the key as the other side sees it.
func (k FlowKey) Reverse() FlowKey {
	k.Src, k.Dst = k.Dst, k.Src
	k.SrcPort, k.DstPort = k.DstPort, k.SrcPort
	return k
}

// EndReason says why a flow was closed.
type EndReason uint8

// The reasons for which a flow ends.
const (
	EndNone    EndReason = iota // still open
	EndFIN                      // both sides closed it
	EndRST                      // one side reset it
	EndReopen                   // a new connection took its 5-tuple
	EndIdle                     // no packet for the idle time-out
	EndActive                   // older than the active time-out; what follows is a new flow
	EndEvicted                  // pushed out when the table was full
	EndSource                   // the capture ended
)

var endReasons = [...]string{"open", "fin", "rst", "reopened", "idle", "active", "evicted", "end"}

// String is the reason's name in JSON and in metrics.
func (r EndReason) String() string {
	if int(r) < len(endReasons) {
		return endReasons[r]
	}
	return "unknown"
}
