package cicflow

// A bulk is at least this many packets with payload in one direction, at most one second apart and with no payload from
// the other side between them.
const bulkMin = 4

// bulk finds the bulks of one direction.
type bulk struct {
	bytes     uint64 // of all bulks
	duration  int64  // µs
	from      int64  // start of the run that may become a bulk, 0 for none
	last      int64  // last packet with payload
	runBytes  uint64
	packets   uint32 // of all bulks
	count     uint32
	runLength uint32
}

// add takes a packet's payload; other is when the opposite direction last had some.
func (b *bulk) add(p packet, other int64) {
	if other > b.from {
		b.from = 0
	}
	if p.payload == 0 {
		return
	}
	if b.from == 0 || p.now-b.last > subflow {
		b.from, b.last = p.now, p.now
		b.runLength, b.runBytes = 1, uint64(p.payload)
		return
	}
	b.runLength++
	b.runBytes += uint64(p.payload)
	switch {
	case b.runLength == bulkMin:
		b.count++
		b.packets += bulkMin
		b.bytes += b.runBytes
		b.duration += p.now - b.from
	case b.runLength > bulkMin:
		b.packets++
		b.bytes += uint64(p.payload)
		b.duration += p.now - b.last
	}
	b.last = p.now
}
