package alert

import (
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"time"

	"mlids"
)

// Identity of our alerts among Suricata's: a generator of our own, so that no rule's id is taken.
const (
	eveGenerator = 7000
	eveSignature = 7000000 // of classes that no technique is known for; others follow in the table's order
	eveRevision  = 1
)

// eveTime has a fraction and no colon in the offset, as Suricata writes it.
const eveTime = "2006-01-02T15:04:05.000000-0700"

// eveEvent is an event of type alert as Suricata's etc/schema.json has it.
type eveEvent struct {
	Timestamp   string   `json:"timestamp"`
	FlowID      uint64   `json:"flow_id"`
	EventType   string   `json:"event_type"`
	Src         string   `json:"src_ip,omitempty"`
	SrcPort     *uint16  `json:"src_port,omitempty"`
	Dst         string   `json:"dest_ip,omitempty"`
	DstPort     *uint16  `json:"dest_port,omitempty"`
	Proto       string   `json:"proto,omitempty"`
	ICMPType    *uint16  `json:"icmp_type,omitempty"`
	ICMPCode    *uint16  `json:"icmp_code,omitempty"`
	CommunityID string   `json:"community_id,omitempty"`
	Alert       eveAlert `json:"alert"`
	Flow        *eveFlow `json:"flow,omitempty"`
}

type eveAlert struct {
	Action    string              `json:"action"`
	GID       int                 `json:"gid"`
	SID       int                 `json:"signature_id"`
	Rev       int                 `json:"rev"`
	Signature string              `json:"signature"`
	Category  string              `json:"category"`
	Severity  int                 `json:"severity"`
	Metadata  map[string][]string `json:"metadata,omitempty"`
	Context   eveContext          `json:"context"`
}

type eveContext struct {
	ML eveML `json:"ml"`
}

// eveML is what Suricata does not know: where the verdict is from.
type eveML struct {
	ID          string               `json:"id,omitempty"`
	Class       string               `json:"class"`
	Model       string               `json:"model"`
	Version     string               `json:"version,omitempty"`
	Probability float64              `json:"probability"`
	Threshold   float64              `json:"threshold"`
	Top         []mlids.Contribution `json:"top,omitempty"`
}

type eveFlow struct {
	FwdPackets uint64 `json:"pkts_toserver"`
	BwdPackets uint64 `json:"pkts_toclient"`
	FwdBytes   uint64 `json:"bytes_toserver"`
	BwdBytes   uint64 `json:"bytes_toclient"`
	Start      string `json:"start,omitempty"`
}

// EVE writes an alert as one line of Suricata's EVE JSON, without the newline. Its time is that of the flow's last packet,
// and for rows without a time the given now.
func EVE(a *mlids.Alert, now time.Time) ([]byte, error) {
	e := eveEvent{
		Timestamp: eveStamp(when(a, now)), FlowID: flowID(a), EventType: "alert", Src: address(a.Src), Dst: address(a.Dst),
		Proto: eveProto(a.Proto), CommunityID: a.CommunityID, Alert: eveOf(a),
	}
	switch a.Proto {
	case mlids.ProtoTCP, mlids.ProtoUDP, mlids.ProtoSCTP:
		e.SrcPort, e.DstPort = &a.SrcPort, &a.DstPort
	case mlids.ProtoICMP, mlids.ProtoICMPv6: // see mlids.FlowKey
		e.ICMPType, e.ICMPCode = new(a.SrcPort>>8), new(a.SrcPort&0xff)
	}
	if a.FwdPackets+a.BwdPackets > 0 {
		e.Flow = &eveFlow{FwdPackets: a.FwdPackets, BwdPackets: a.BwdPackets, FwdBytes: a.FwdBytes, BwdBytes: a.BwdBytes}
		if !a.Start.IsZero() {
			e.Flow.Start = eveStamp(a.Start)
		}
	}
	return json.Marshal(e)
}

func eveStamp(t time.Time) string { return t.UTC().Format(eveTime) }

// when is the time of an event: that of the last packet, else of the first, else now.
func when(a *mlids.Alert, now time.Time) time.Time {
	switch {
	case !a.End.IsZero():
		return a.End
	case !a.Start.IsZero():
		return a.Start
	}
	return now
}

func eveOf(a *mlids.Alert) eveAlert {
	v := a.Verdict
	r, place := find(v.Class)
	e := eveAlert{
		Action: "allowed", GID: eveGenerator, SID: eveSignature + 1 + place, Rev: eveRevision, Signature: signature(v),
		Category: "Misc Attack", Severity: 2,
		Context: eveContext{eveML{a.ID, v.Class, v.Model, v.Version, finite(v.Probability), finite(v.Threshold), Contributions(a.Top)}},
	}
	switch {
	case !v.Attack:
		e.Category, e.Severity = "Not Suspicious Traffic", 3
	case place >= 0:
		e.Category, e.Severity = r.kind.category, r.kind.severity
		e.Metadata = map[string][]string{
			"mitre_tactic_id": {r.TacticID}, "mitre_tactic_name": {r.Tactic},
			"mitre_technique_id": {r.ID}, "mitre_technique_name": {r.Name},
		}
	}
	return e
}

// signature is the name of an alert.
func signature(v mlids.Verdict) string {
	if v.Attack {
		return "mlids: " + v.Class + " (model " + v.Model + ")"
	}
	return "mlids: benign (model " + v.Model + ")"
}

// flowID is the same for all alerts of one flow, whichever model speaks: 53 bits, which every JSON reader keeps.
func flowID(a *mlids.Alert) uint64 {
	h := fnv.New64a()
	var start [8]byte
	binary.BigEndian.PutUint64(start[:], uint64(a.Start.UnixNano()))
	_, _ = h.Write(start[:])
	if a.CommunityID != "" {
		_, _ = h.Write([]byte(a.CommunityID))
	} else {
		_, _ = h.Write([]byte(a.ID))
	}
	return max(h.Sum64()>>11, 1)
}

// eveProto is the protocol's name as Suricata writes it.
func eveProto(proto uint8) string {
	names := map[uint8]string{
		mlids.ProtoICMP: "ICMP", mlids.ProtoTCP: "TCP", mlids.ProtoUDP: "UDP", mlids.ProtoICMPv6: "IPv6-ICMP", mlids.ProtoSCTP: "SCTP",
		47: "GRE", 50: "ESP",
	}
	if name, ok := names[proto]; ok || proto == 0 {
		return name
	}
	return threeDigits(proto)
}

// threeDigits is how Suricata writes protocols without a name.
func threeDigits(n uint8) string { return string([]byte{'0' + n/100, '0' + n/10%10, '0' + n%10}) }
