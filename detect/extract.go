package detect

import (
	"errors"
	"fmt"

	"mlids"
	"mlids/feature"
	"mlids/feature/cicflow"
	"mlids/feature/kdd99"
)

// ErrSchema is returned for models of a schema that cannot be computed from packets.
var ErrSchema = errors.New("no way from packets to this schema")

// extractor computes the rows of one schema from packets.
type extractor interface {
	Add(p *mlids.Packet)
	Advance(now int64)
	Flush()
}

// interim is an extractor that can tell of flows that go on: of those that began at or before begun and had a packet later
// than after, most at most.
type interim interface {
	Interim(begun, after int64, most int)
}

// row is a finished flow, valid during the call.
type row struct {
	key         mlids.FlowKey // of the first packet
	first, last int64
	reason      mlids.EndReason
	ingress     mlids.Port
	answer      bool
	counters    Counters
	vector      func(dst []float32, in []feature.Input) []float32
	record      func(dst []byte) []byte // appends the row as a JSON object
}

// newExtractor makes the extractor of a schema.
func newExtractor(s *feature.Schema, cfg Config, emit func(*row)) (extractor, error) {
	var out row
	switch s.Name {
	case "cicflow":
		printer, count := cicflow.NewPrinter(s), counting(s, "tot_fwd_pkts", "tot_bwd_pkts", "totlen_fwd_pkts", "totlen_bwd_pkts")
		return cicflow.New(cicflow.Config{Schema: s, MaxFlows: cfg.MaxFlows, Linger: cfg.Linger}, func(r *cicflow.Row) {
			out = row{r.Wire, r.First, r.Last, r.Reason, r.Ingress, r.Answer, count(r.Values), r.Vector, nil}
			if r.Key.Src != r.Wire.Src { // the tool calls the other way forward
				out.counters = out.counters.reversed()
			}
			if cfg.Records {
				out.record = func(dst []byte) []byte { return printer.AppendJSON(dst, r) }
			}
			emit(&out)
		})
	case "kdd99":
		count := counting(s, "", "", "src_bytes", "dst_bytes")
		return kdd99.New(kdd99.Config{Schema: s, MaxFlows: cfg.MaxFlows}, func(r *kdd99.Row) {
			out = row{r.Key, r.First, r.Last, r.Reason, r.Ingress, r.Answer, count(r.Values), r.Vector, nil}
			if cfg.Records {
				out.record = r.AppendJSON
			}
			emit(&out)
		})
	}
	return nil, fmt.Errorf("%w: %s", ErrSchema, s.ID())
}

// counting finds the columns of a schema that hold counters; those without a name are not counted.
func counting(s *feature.Schema, fwdPackets, bwdPackets, fwdBytes, bwdBytes string) func(values []float64) Counters {
	var at [4]int
	for i, name := range []string{fwdPackets, bwdPackets, fwdBytes, bwdBytes} {
		at[i] = -1
		if column, ok := s.Index(name); ok && name != "" {
			at[i] = column
		}
	}
	return func(values []float64) Counters {
		var n [4]uint64
		for i, column := range at {
			if column >= 0 && values[column] > 0 {
				n[i] = uint64(values[column])
			}
		}
		return Counters{n[0], n[1], n[2], n[3]}
	}
}
