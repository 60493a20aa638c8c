package kdd99

import (
	"fmt"
	"math"
	"slices"

	"mlids"
	"mlids/feature"
	"mlids/flow"
)

// Row is one finished connection.
type Row struct {
	Key     mlids.FlowKey
	First   int64           // time of the first packet, ns since the epoch
	Last    int64           // time of the last packet
	Reason  mlids.EndReason // EndNone of an interim row: the flow goes on
	Ingress mlids.Port      // of the first packet
	Answer  bool            // the first packet was an answer, see [mlids.Packet.Answers]
	Flag    Flag
	Service Service
	Label   string    // empty until someone knows
	Values  []float64 // one per column of the schema, categories as the index in Column.Categories

	rules *rowRules
}

// MoveTo lets dst have the row, and takes dst's memory to be used again (see [flow.Relay]).
func (r *Row) MoveTo(dst *Row) {
	*dst, r.Values = *r, dst.Values
}

// rowRules are what all rows of an extractor share.
type rowRules struct {
	schema     *feature.Schema
	fractional bool
	decimals   int
	kinds      []feature.Kind // of the columns
	keys       []string       // of the columns in JSON: "name":
	protocols  [3]float64     // index in the schema of icmp, tcp, udp
	services   []float64      // of each Service
	flags      []float64      // of each Flag
}

// Where categories stand in the schema.
const (
	protocolColumn = 1
	serviceColumn  = 2
	flagColumn     = 3
	columns        = 41
)

func newRowRules(s *feature.Schema, r Rules) (*rowRules, error) {
	if len(s.Columns) != columns {
		return nil, fmt.Errorf("%w: %s has %d columns, want %d", ErrSchema, s.ID(), len(s.Columns), columns)
	}
	out := &rowRules{schema: s, fractional: r.FractionalDuration, decimals: r.Decimals}
	for _, c := range s.Columns {
		out.kinds = append(out.kinds, c.Kind)
		out.keys = append(out.keys, `"`+c.Name+`":`)
	}
	protocols, err := places(s, protocolColumn, []string{"icmp", "tcp", "udp"})
	if err != nil {
		return nil, err
	}
	out.protocols = [3]float64(protocols)
	if out.services, err = places(s, serviceColumn, serviceNames[:]); err != nil {
		return nil, err
	}
	out.flags, err = places(s, flagColumn, flagNames[:])
	return out, err
}

// places finds names among the categories of a column.
func places(s *feature.Schema, column int, names []string) ([]float64, error) {
	at := make([]float64, len(names))
	for i, name := range names {
		j := slices.Index(s.Columns[column].Categories, name)
		if j < 0 {
			return nil, fmt.Errorf("%w: %s: column %s lacks %s", ErrSchema, s.ID(), s.Columns[column].Name, name)
		}
		at[i] = float64(j)
	}
	return at, nil
}

// fill makes r the row of a connection.
func (r *Row) fill(f *flow.Flow[conn], reason mlids.EndReason, flag Flag, t *Content, w Windows) {
	c := &f.State
	r.Key, r.First, r.Last, r.Reason, r.Label = f.Key, f.First, f.Last, reason, ""
	r.Ingress, r.Answer = f.Ingress, f.Answer
	r.Flag, r.Service = flag, c.service
	r.Values = r.Values[:0]
	r.put(r.duration(), r.rules.protocols[protocolIndex(f.Key.Proto)], r.rules.services[c.service], r.rules.flags[flag],
		float64(c.streams[0].bytes), float64(c.streams[1].bytes), number(land(&f.Key)), float64(c.wrong), float64(c.urgent))
	r.put(float64(t.Hot), float64(t.FailedLogins), number(t.LoggedIn), float64(t.Compromised), number(t.RootShell),
		float64(t.SuAttempted), float64(t.Root), float64(t.FileCreations), float64(t.Shells), float64(t.AccessFiles),
		0, number(t.HostLogin), number(t.GuestLogin))
	r.put(float64(w.Count), float64(w.SrvCount))
	r.rates(w.Rates[:hostSameSrvRate])
	r.put(float64(w.HostCount), float64(w.HostSrvCount))
	r.rates(w.Rates[hostSameSrvRate:])
}

func (r *Row) put(v ...float64) { r.Values = append(r.Values, v...) }

// rates appends shares, rounded as they are printed.
func (r *Row) rates(list []float32) {
	scale := math.Pow10(r.rules.decimals)
	for _, v := range list {
		r.Values = append(r.Values, math.RoundToEven(float64(v)*scale)/scale)
	}
}

// duration is the time from the first to the last packet in seconds.
func (r *Row) duration() float64 {
	d := max(r.Last-r.First, 0)
	if r.rules.fractional {
		return math.Round(float64(d)/1e3) / 1e6
	}
	return float64(d / second)
}

func protocolIndex(proto uint8) int {
	switch proto {
	case mlids.ProtoTCP:
		return 1
	case mlids.ProtoUDP:
		return 2
	}
	return 0
}

// land reports whether a connection goes from a host and port to the same.
func land(k *mlids.FlowKey) bool {
	return k.Src == k.Dst && k.SrcPort == k.DstPort && (k.Proto == mlids.ProtoTCP || k.Proto == mlids.ProtoUDP)
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Vector appends the numbers that a model takes to dst: 1 or 0 for a category, else the value. They are the ones that a
// trainer gets from the printed row.
func (r *Row) Vector(dst []float32, in []feature.Input) []float32 {
	for _, i := range in {
		v := feature.Float32(r.Values[i.Column])
		if i.Category >= 0 {
			v = float32(number(int(v) == i.Category))
		}
		dst = append(dst, v)
	}
	return dst
}
