package alert

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"mlids"
)

// ECSVersion is the version of the Elastic Common Schema that the fields are from.
const ECSVersion = "8.17.0"

// ecsEvent is an alert in the fields of the Elastic Common Schema; ours are below mlids.
type ecsEvent struct {
	Timestamp string            `json:"@timestamp"`
	ECS       map[string]string `json:"ecs"`
	Message   string            `json:"message"`
	Event     ecsKind           `json:"event"`
	Observer  map[string]string `json:"observer"`
	Rule      ecsRule           `json:"rule"`
	Source    *ecsSide          `json:"source,omitempty"`
	Dest      *ecsSide          `json:"destination,omitempty"`
	Network   *ecsNetwork       `json:"network,omitempty"`
	Related   *ecsRelated       `json:"related,omitempty"`
	Threat    *ecsThreat        `json:"threat,omitempty"`
	ML        eveML             `json:"mlids"`
}

type ecsKind struct {
	Kind     string   `json:"kind"`
	Category []string `json:"category"`
	Type     []string `json:"type"`
	Module   string   `json:"module"`
	Dataset  string   `json:"dataset"`
	ID       string   `json:"id,omitempty"`
	Severity int      `json:"severity"`
	Start    string   `json:"start,omitempty"`
	End      string   `json:"end,omitempty"`
	Duration int64    `json:"duration,omitempty"` // ns
}

type ecsRule struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Category string `json:"category"`
	Version  string `json:"version"`
}

type ecsSide struct {
	Address string `json:"address"`
	IP      string `json:"ip"`
	Port    uint16 `json:"port,omitempty"`
	Packets uint64 `json:"packets,omitempty"`
	Bytes   uint64 `json:"bytes,omitempty"`
}

type ecsNetwork struct {
	Transport   string `json:"transport,omitempty"`
	IANA        string `json:"iana_number,omitempty"`
	Type        string `json:"type,omitempty"`
	CommunityID string `json:"community_id,omitempty"`
	Packets     uint64 `json:"packets,omitempty"`
	Bytes       uint64 `json:"bytes,omitempty"`
}

type ecsRelated struct {
	IP []string `json:"ip"`
}

type ecsThreat struct {
	Framework string       `json:"framework"`
	Tactic    ecsNames     `json:"tactic"`
	Technique ecsTechnique `json:"technique"`
}

// ecsNames are lists, as the schema's pages ask.
type ecsNames struct {
	ID        []string `json:"id"`
	Name      []string `json:"name"`
	Reference []string `json:"reference"`
}

type ecsTechnique struct {
	ecsNames
	Sub *ecsNames `json:"subtechnique,omitempty"`
}

// ECS writes an alert as one line of JSON in the Elastic Common Schema 8, without the newline. Its time is chosen as EVE
// chooses it.
func ECS(a *mlids.Alert, now time.Time) ([]byte, error) {
	eve := eveOf(a)
	e := ecsEvent{
		Timestamp: stamp(when(a, now)), ECS: map[string]string{"version": ECSVersion}, Message: eve.Signature,
		Event: ecsKind{
			Kind: "alert", Category: []string{"network", "intrusion_detection"}, Type: []string{"info"}, Module: "mlids",
			Dataset: "mlids.alert", ID: a.ID, Severity: eve.Severity, Start: stamp(a.Start), End: stamp(a.End),
		},
		Observer: map[string]string{"vendor": "mlids", "product": "mlids", "type": "ids"},
		Rule:     ecsRule{strconv.Itoa(eve.SID), eve.Signature, eve.Category, strconv.Itoa(eve.Rev)},
		Source:   side(address(a.Src), a.SrcPort, a.FwdPackets, a.FwdBytes, a.Proto),
		Dest:     side(address(a.Dst), a.DstPort, a.BwdPackets, a.BwdBytes, a.Proto),
		Network:  network(a), Threat: threat(a.Verdict), ML: eve.Context.ML,
	}
	if !a.Verdict.Attack {
		e.Event.Kind, e.Event.Type = "event", []string{"allowed"}
	}
	if !a.Start.IsZero() && a.End.After(a.Start) {
		e.Event.Duration = int64(a.End.Sub(a.Start))
	}
	if e.Source != nil && e.Dest != nil {
		e.Related = &ecsRelated{[]string{e.Source.IP, e.Dest.IP}}
	}
	return json.Marshal(e)
}

func side(ip string, port uint16, packets, bytes uint64, proto uint8) *ecsSide {
	if ip == "" {
		return nil
	}
	if proto != mlids.ProtoTCP && proto != mlids.ProtoUDP && proto != mlids.ProtoSCTP {
		port = 0
	}
	return &ecsSide{ip, ip, port, packets, bytes}
}

func network(a *mlids.Alert) *ecsNetwork {
	if !a.Src.IsValid() {
		return nil
	}
	n := &ecsNetwork{
		Transport: strings.ToLower(eveProto(a.Proto)), IANA: strconv.Itoa(int(a.Proto)), Type: "ipv6", CommunityID: a.CommunityID,
		Packets: a.FwdPackets + a.BwdPackets, Bytes: a.FwdBytes + a.BwdBytes,
	}
	if a.Src.Unmap().Is4() {
		n.Type = "ipv4"
	}
	return n
}

func threat(v mlids.Verdict) *ecsThreat {
	t, ok := TechniqueOf(v.Class)
	if !ok || !v.Attack {
		return nil
	}
	const site = "https://attack.mitre.org/"
	id, _, isSub := strings.Cut(t.ID, ".")
	name, subName, _ := strings.Cut(t.Name, ": ")
	threat := &ecsThreat{
		Framework: "MITRE ATT&CK",
		Tactic:    names(t.TacticID, t.Tactic, site+"tactics/"+t.TacticID+"/"),
		Technique: ecsTechnique{ecsNames: names(id, name, site+"techniques/"+id+"/")},
	}
	if isSub {
		sub := names(t.ID, subName, t.URL())
		threat.Technique.Sub = &sub
	}
	return threat
}

func names(id, name, reference string) ecsNames {
	return ecsNames{[]string{id}, []string{name}, []string{reference}}
}
