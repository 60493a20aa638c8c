package detect

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"mlids"
	"mlids/flow"
)

// Finding is the verdict on one flow.
type Finding struct {
	Key         mlids.FlowKey // of the flow's first packet
	First, Last int64         // times of its first and last packet, ns since the epoch
	Reason      mlids.EndReason
	Verdict     mlids.Verdict

	Ingress mlids.Port // where the first packet entered the network, when the source knows
	Answer  bool       // the first packet was an answer, see [mlids.Packet.Answers]

	Counters Counters
	Record   []byte // the row as a JSON object, if Config.Records asks for it

	Top []mlids.Contribution // what spoke most for an attack, if Config.Explain asks for it
}

// Counters are what a flow carried, as far as the extractor counts it: kdd99 counts no packets. Forward is the way of the first
// packet; bytes are payload.
type Counters struct {
	FwdPackets, BwdPackets, FwdBytes, BwdBytes uint64
}

// reversed is the same, seen from the other side.
func (c Counters) reversed() Counters {
	return Counters{FwdPackets: c.BwdPackets, BwdPackets: c.FwdPackets, FwdBytes: c.BwdBytes, BwdBytes: c.FwdBytes}
}

// Alert is the finding as notifications and blocks take it. The same model's verdict on the same flow has the same ID, whenever
// and wherever the packets are read.
func (f *Finding) Alert() mlids.Alert {
	return mlids.Alert{
		ID: f.id(), Verdict: f.Verdict,
		Start: time.Unix(0, f.First).UTC(), End: time.Unix(0, f.Last).UTC(),
		Src: f.Key.Src.Netip(), Dst: f.Key.Dst.Netip(), SrcPort: f.Key.SrcPort, DstPort: f.Key.DstPort, Proto: f.Key.Proto,
		CommunityID: flow.CommunityID(f.Key, 0),
		Ingress:     f.Ingress, Answer: f.Answer, Open: f.Reason == mlids.EndNone,
		FwdPackets: f.Counters.FwdPackets, BwdPackets: f.Counters.BwdPackets,
		FwdBytes: f.Counters.FwdBytes, BwdBytes: f.Counters.BwdBytes,
		Top: f.Top,
	}
}

// id is made of what tells verdicts apart: 32 hex digits.
func (f *Finding) id() string {
	k := &f.Key
	b := append(make([]byte, 0, 160), k.Src[:]...)
	b = append(b, k.Dst[:]...)
	b = binary.BigEndian.AppendUint16(b, k.SrcPort)
	b = binary.BigEndian.AppendUint16(b, k.DstPort)
	b = append(b, k.Proto)
	b = binary.BigEndian.AppendUint64(b, uint64(f.First))
	b = binary.BigEndian.AppendUint64(b, uint64(f.Last))
	b = append(append(append(b, f.Verdict.Model...), 0), f.Verdict.Version...)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
