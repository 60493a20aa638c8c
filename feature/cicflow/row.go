package cicflow

import (
	"math"

	"mlids"
	"mlids/feature"
)

// Row is one finished flow.
type Row struct {
	Key    mlids.FlowKey   // as the dialect names flows: no ports but for TCP and UDP, in cicflow/2018 no other protocol
	Wire   mlids.FlowKey   // of the first packet, see flow.KeyOf; by it other tools know the flow (flow.CommunityID)
	First  int64           // time of the first packet, ns since the epoch
	Last   int64           // time of the last packet
	Reason mlids.EndReason // EndNone of an interim row: the flow goes on

	Ingress mlids.Port // of the first packet
	Answer  bool       // the first packet was an answer, see [mlids.Packet.Answers]

	Label  string    // empty until someone knows
	Values []float64 // one per column of the schema; text is NaN, clocks are µs since the epoch

	idBack bool // the id names Key.Dst first
}

// id is the key as flow ids name it: in cicflow/v4 the side first that was so when these ports first spoke, in cicflow/2018
// the one with the lower address.
func (r *Row) id(y2018 bool) mlids.FlowKey {
	switch {
	case y2018:
		return signedOrder(r.Key)
	case r.idBack:
		return r.Key.Reverse()
	}
	return r.Key
}

// MoveTo lets dst have the row, and takes dst's memory to be used again (see [flow.Relay]).
func (r *Row) MoveTo(dst *Row) {
	*dst, r.Values = *r, dst.Values
}

// Vector appends the numbers that a model takes to dst. They are the ones that a trainer gets from the printed row:
// shortest decimal text gives back the same float64, and both round that to float32 in the same way.
func (r *Row) Vector(dst []float32, in []feature.Input) []float32 {
	for _, i := range in {
		v := feature.Float32(r.Values[i.Column])
		if i.Over > 0 {
			v = feature.Quotient(v, feature.Float32(r.Values[i.Over-1]))
		}
		dst = append(dst, v)
	}
	return dst
}

// head appends the columns up to the protocol and the clock.
func (r *Row) head(c *core) {
	r.Values = append(r.Values[:0], math.NaN(), math.NaN(), float64(r.Key.SrcPort), math.NaN(), float64(r.Key.DstPort),
		float64(r.Key.Proto), float64(c.first))
}

// put appends numbers.
func (r *Row) put(v ...float64) { r.Values = append(r.Values, v...) }

// volume appends duration, counts, lengths and rates.
func (r *Row) volume(c *core, bytesPerSecond, packetsPerSecond float64) {
	f, b := &c.fwd, &c.bwd
	r.put(float64(c.duration()), float64(f.pkts), float64(b.pkts), float64(f.bytes), float64(b.bytes))
	r.spread(&f.payload, f.pkts)
	r.spread(&b.payload, b.pkts)
	r.put(bytesPerSecond, packetsPerSecond)
}

// spread appends greatest, least, mean and deviation.
func (r *Row) spread(m *moments, n uint32) {
	r.put(float64(m.max), float64(m.min), m.mean, m.std(n))
}

// gaps appends the times between packets.
func (r *Row) gaps(c *core) {
	r.iat(&c.iat, c.packets())
	for _, s := range []*side{&c.fwd, &c.bwd} {
		r.put(float64(s.last - s.first))
		r.iat(&s.iat, s.pkts)
	}
}

// iat appends mean, deviation, greatest and least of the gaps between n packets.
func (r *Row) iat(m *moments, n uint32) {
	r.put(m.mean, m.std(max(n, 1)-1), float64(m.max), float64(m.min))
}

// headers appends header lengths and packet rates by direction, then the lengths of all payloads, of which n were counted.
func (r *Row) headers(c *core, n uint32) {
	f, b, m := &c.fwd, &c.bwd, &c.payload
	r.put(float64(f.header), float64(b.header), perSecond(f.pkts, c), perSecond(b.pkts, c))
	r.put(float64(m.min), float64(m.max), m.mean, m.std(n), m.variance(n))
}

// pauses appends active and idle times.
func (r *Row) pauses(c *core) {
	for _, s := range []*series{&c.active, &c.idle} {
		r.put(s.mean, s.std(s.n), float64(s.max), float64(s.min))
	}
}

// perSecond is a rate over the flow's duration; 0 if that is 0.
func perSecond(n uint32, c *core) float64 {
	if c.duration() <= 0 {
		return 0
	}
	return float64(n) / seconds(c)
}

func seconds(c *core) float64 { return float64(c.duration()) / 1e6 }

// ratio is a/b, 0 when b is 0.
func ratio[N uint32 | uint64](a N, b float64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / b
}

// fillV4 makes r the row of a flow in cicflow/v4.
func (r *Row) fillV4(s *stateV4, proto uint8) {
	c, f, b := &s.core, &s.fwd, &s.bwd
	n := float64(c.packets())
	r.head(c)
	bytesPerSecond, packetsPerSecond := -1.0, -1.0
	if c.duration() != 0 {
		bytesPerSecond, packetsPerSecond = float64(f.bytes+b.bytes)/seconds(c), n/seconds(c)
	}
	r.volume(c, bytesPerSecond, packetsPerSecond)
	r.gaps(c)
	r.put(float64(s.fwdFlags.count(psh)), float64(s.bwdFlags.count(psh)), float64(s.fwdFlags.count(urg)), float64(s.bwdFlags.count(urg)),
		float64(s.fwdFlags.count(rst)), float64(s.bwdFlags.count(rst)))
	r.headers(c, c.packets())
	for _, i := range [...]int{fin, syn, rst, psh, ack, urg, cwr, ece} {
		r.put(float64(s.fwdFlags.count(i) + s.bwdFlags.count(i)))
	}
	r.put(ratio(b.pkts, float64(f.pkts)), float64(f.bytes+b.bytes)/n,
		ratio(f.bytes, float64(f.pkts)), ratio(b.bytes, float64(b.pkts)))
	r.bulk(&s.fwdBulk)
	r.bulk(&s.bwdBulk)
	parts := float64(s.subflows)
	r.put(ratio(f.pkts, parts), ratio(f.bytes, parts), ratio(b.pkts, parts), ratio(b.bytes, parts))
	r.put(float64(f.window), float64(b.window), float64(f.data), float64(b.data),
		float64(f.headerMin), s.bwdHeaderMin())
	r.pauses(c)
	r.connection(s, proto)
}

// bwdHeaderMin is the least header backward. The reference lets its minimum start at 0 unless the flow's first packet
// goes backward, and so do all files made with it.
func (s *stateV4) bwdHeaderMin() float64 {
	if !s.turned {
		return 0
	}
	return float64(s.bwd.headerMin)
}

func (r *Row) bulk(b *bulk) {
	r.put(ratio(b.bytes, float64(b.count)), ratio(b.packets, float64(b.count)), ratio(b.bytes, float64(b.duration)/1e6))
}

// connection appends the last columns of cicflow/v4.
func (r *Row) connection(s *stateV4, proto uint8) {
	code, kind := -1.0, -1.0
	if icmp(proto) {
		code, kind = float64(s.icmpCode()), float64(s.icmpType())
	}
	total := 0.0
	if ported(proto) {
		total = float64(s.gone + s.duration())
	}
	r.put(code, kind, float64(s.fwdRepeats.n), float64(s.bwdRepeats.n), float64(s.fwdRepeats.n+s.bwdRepeats.n), total)
}

// fill2018 makes r the row of a flow in cicflow/2018. The flags are those of the first packet, under the names that the
// tool printed them.
func (r *Row) fill2018(s *state2018, proto uint8) {
	c, f, b := &s.core, &s.fwd, &s.bwd
	bytes, n := float64(f.bytes+b.bytes), float64(c.packets())
	flag := func(m mlids.TCPFlags) float64 {
		if s.flags.Has(m) {
			return 1
		}
		return 0
	}
	r.head(c)
	r.volume(c, bytes/seconds(c), n/seconds(c))
	r.gaps(c)
	r.put(flag(mlids.PSH), 0, flag(mlids.URG), 0)
	r.headers(c, c.packets()+1)
	for _, m := range [...]mlids.TCPFlags{mlids.RST, mlids.PSH, mlids.ECE, mlids.SYN, mlids.ACK, mlids.FIN, mlids.URG, mlids.CWR} {
		r.put(flag(m))
	}
	r.put(math.Floor(ratio(b.pkts, float64(f.pkts))), (bytes+float64(s.head))/n,
		ratio(f.bytes, float64(f.pkts)), ratio(b.bytes, float64(b.pkts)))
	r.put(0, 0, 0, 0, 0, 0)
	r.put(float64(f.pkts), float64(f.bytes), float64(b.pkts), float64(b.bytes))
	r.windows2018(s, proto)
	r.pauses(c)
}

func (r *Row) windows2018(s *state2018, proto uint8) {
	fwd, bwd, data := -1.0, -1.0, s.fwd.data
	if proto == mlids.ProtoTCP {
		fwd = float64(s.fwd.window)
		if s.bwd.pkts > 0 {
			bwd = float64(s.bwd.window)
		}
	}
	if s.head > 0 { // the first packet is always forward
		data--
	}
	r.put(fwd, bwd, float64(data), float64(s.fwd.headerMin))
}
