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
	vector      func(dst []float32, in []feature.Input) []float32
}

// newExtractor makes the extractor of a schema.
func newExtractor(s *feature.Schema, cfg Config, emit func(*row)) (extractor, error) {
	var out row
	switch s.Name {
	case "cicflow":
		return cicflow.New(cicflow.Config{Schema: s, MaxFlows: cfg.MaxFlows, Linger: cfg.Linger}, func(r *cicflow.Row) {
			out = row{r.Wire, r.First, r.Last, r.Reason, r.Ingress, r.Answer, r.Vector}
			emit(&out)
		})
	case "kdd99":
		return kdd99.New(kdd99.Config{Schema: s, MaxFlows: cfg.MaxFlows}, func(r *kdd99.Row) {
			out = row{r.Key, r.First, r.Last, r.Reason, r.Ingress, r.Answer, r.Vector}
			emit(&out)
		})
	}
	return nil, fmt.Errorf("%w: %s", ErrSchema, s.ID())
}
