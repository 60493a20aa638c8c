package flow

import "mlids"

// Stats counts what a table has done. All but Open only grow.
type Stats struct {
	Packets uint64
	Flows   uint64                      // flows begun
	Open    int                         // flows open now
	Ended   [mlids.EndSource + 1]uint64 // by mlids.EndReason
}

// Stats returns the counts so far.
func (t *Table[S]) Stats() Stats {
	s := t.stats
	s.Packets = t.seq
	s.Open = t.flows.live - len(t.ended)
	return s
}

// Add sums the counts of two tables.
func (s Stats) Add(o Stats) Stats {
	s.Packets += o.Packets
	s.Flows += o.Flows
	s.Open += o.Open
	for i, n := range o.Ended {
		s.Ended[i] += n
	}
	return s
}
