package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"mlids"
)

// ErrJSON marks text that is no alert.
var ErrJSON = errors.New("no alert")

// MaxJSON is the longest text that Decode reads, in bytes.
const MaxJSON = 64 << 10

// record is an alert as JSON. Names are those of mlids detect -o json where it has them.
type record struct {
	ID          string               `json:"id"`
	Start       string               `json:"time,omitempty"` // RFC 3339 with fraction, UTC
	End         string               `json:"end,omitempty"`
	Src         string               `json:"src_ip,omitempty"`
	SrcPort     uint16               `json:"src_port,omitempty"`
	Dst         string               `json:"dst_ip,omitempty"`
	DstPort     uint16               `json:"dst_port,omitempty"`
	Proto       uint8                `json:"protocol,omitempty"`
	CommunityID string               `json:"community_id,omitempty"`
	Prediction  int                  `json:"prediction"`
	Class       string               `json:"class"`
	Probability float64              `json:"probability"`
	Threshold   float64              `json:"threshold"`
	Model       string               `json:"model"`
	Version     string               `json:"model_version,omitempty"`
	FwdPackets  uint64               `json:"fwd_packets,omitempty"`
	BwdPackets  uint64               `json:"bwd_packets,omitempty"`
	FwdBytes    uint64               `json:"fwd_bytes,omitempty"`
	BwdBytes    uint64               `json:"bwd_bytes,omitempty"`
	Top         []mlids.Contribution `json:"top,omitempty"`
}

// Encode writes an alert as one line of JSON; numbers that JSON lacks become 0.
func Encode(a *mlids.Alert) ([]byte, error) {
	v := a.Verdict
	r := record{
		ID: a.ID, Start: stamp(a.Start), End: stamp(a.End),
		Src: address(a.Src), SrcPort: a.SrcPort, Dst: address(a.Dst), DstPort: a.DstPort, Proto: a.Proto, CommunityID: a.CommunityID,
		Class: v.Class, Probability: finite(v.Probability), Threshold: finite(v.Threshold), Model: v.Model, Version: v.Version,
		FwdPackets: a.FwdPackets, BwdPackets: a.BwdPackets, FwdBytes: a.FwdBytes, BwdBytes: a.BwdBytes, Top: Contributions(a.Top),
	}
	if v.Attack {
		r.Prediction = 1
	}
	return json.Marshal(r)
}

// Decode reads what Encode wrote.
func Decode(text []byte) (*mlids.Alert, error) {
	if len(text) > MaxJSON {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read", ErrJSON, len(text), MaxJSON)
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJSON, err)
	}
	a := &mlids.Alert{
		ID: r.ID, SrcPort: r.SrcPort, DstPort: r.DstPort, Proto: r.Proto, CommunityID: r.CommunityID, Top: r.Top,
		FwdPackets: r.FwdPackets, BwdPackets: r.BwdPackets, FwdBytes: r.FwdBytes, BwdBytes: r.BwdBytes,
		Verdict: mlids.Verdict{
			Attack: r.Prediction == 1, Class: r.Class, Probability: r.Probability, Threshold: r.Threshold, Model: r.Model, Version: r.Version,
		},
	}
	var errs [4]error
	a.Start, errs[0] = parseStamp("time", r.Start)
	a.End, errs[1] = parseStamp("end", r.End)
	a.Src, errs[2] = parseAddress("src_ip", r.Src)
	a.Dst, errs[3] = parseAddress("dst_ip", r.Dst)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return a, nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func parseStamp(field, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %s: %w", ErrJSON, field, err)
	}
	return t.UTC(), nil
}

func address(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().WithZone("").String()
}

func parseAddress(field, s string) (netip.Addr, error) {
	if s == "" {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%w: %s: %w", ErrJSON, field, err)
	}
	return a.Unmap().WithZone(""), nil
}

func finite(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}

// Contributions are those that JSON can hold: a missing value is left out with its column.
func Contributions(top []mlids.Contribution) []mlids.Contribution {
	var out []mlids.Contribution
	for _, c := range top {
		if finite(c.Value) == c.Value && finite(c.Amount) == c.Amount {
			out = append(out, c)
		}
	}
	return out
}
