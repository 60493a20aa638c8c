package mlids

import (
	"net/netip"
	"time"
)

// Alert is a verdict with what is known of the flow it was made for: what notifications, queues and blocks are made of.
// A verdict on a live flow has all of it, one on a recorded row what the row tells; fields not known are zero.
type Alert struct {
	ID      string // the same for every copy of the same verdict; receivers drop duplicates by it
	Verdict Verdict

	Start, End       time.Time // of the flow's first and last packet
	Src, Dst         netip.Addr
	SrcPort, DstPort uint16
	Proto            uint8 // IP protocol number
	CommunityID      string
	Ingress          Port // where the first packet entered the network
	Answer           bool // the first packet was an answer, see Packet.Answers: Src has not begun this
	Open             bool // an interim verdict; the flow goes on

	FwdPackets, BwdPackets uint64
	FwdBytes, BwdBytes     uint64

	Top []Contribution // the columns that counted most for the verdict, when it was explained
}

// Contribution is how far one column moved a verdict.
type Contribution struct {
	Column string  `json:"column"`
	Value  float64 `json:"value"`
	Amount float64 `json:"contribution"` // on the scale of the model's margin; above 0 speaks for the class decided for
}
