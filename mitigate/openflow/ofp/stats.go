package ofp

import "fmt"

// Record is one entry of a multipart reply.
type Record interface {
	// next reads the record at the beginning of b and returns its size.
	next(b []byte) (int, error)
}

// Records hands the records of a reply's body to each, one after the other, in the same r.
func Records[R Record](body []byte, r R, each func(R) error) error {
	for len(body) > 0 {
		n, err := r.next(body)
		if err != nil {
			return fmt.Errorf("multipart reply: %w", err)
		}
		if err := each(r); err != nil {
			return err
		}
		body = body[n:]
	}
	return nil
}

// short is the error of a record that is cut off.
func short(what string, b []byte, size int) error {
	return fmt.Errorf("%s of %d bytes in %d: %w", what, size, len(b), ErrLength)
}

// Description is what a switch says of itself.
type Description struct {
	Manufacturer, Hardware, Software, Serial, Datapath string
}

const descriptionSize = 256*3 + 32 + 256

func (d *Description) next(b []byte) (int, error) {
	if len(b) < descriptionSize {
		return 0, short("description", b, descriptionSize)
	}
	*d = Description{cut(b[:256]), cut(b[256:512]), cut(b[512:768]), cut(b[768:800]), cut(b[800:descriptionSize])}
	return descriptionSize, nil
}

// Append adds the record.
func (d *Description) Append(b []byte) []byte {
	for i, s := range []string{d.Manufacturer, d.Hardware, d.Software, d.Serial, d.Datapath} {
		field := make([]byte, 256)
		if i == 3 {
			field = field[:32]
		}
		copy(field[:len(field)-1], s)
		b = append(b, field...)
	}
	return b
}

func (p *Port) next(b []byte) (int, error) {
	if len(b) < PortSize {
		return 0, short("port", b, PortSize)
	}
	p.decode(b)
	return PortSize, nil
}

// FlowStats is one flow of a switch with its counters.
type FlowStats struct {
	Table          uint8
	Seconds        uint32 // since it was put there
	Nanoseconds    uint32
	Priority       uint16
	Idle, Hard     uint16
	Flags          uint16
	Cookie         uint64
	Packets, Bytes uint64
	Match          Match
	Instructions   Instructions
}

func (f *FlowStats) next(b []byte) (int, error) {
	if len(b) < 56 {
		return 0, short("flow", b, 56)
	}
	size := int(be.Uint16(b))
	if size < 56 || size > len(b) {
		return 0, short("flow", b, size)
	}
	f.Table, f.Seconds, f.Nanoseconds, f.Priority = b[2], be.Uint32(b[4:]), be.Uint32(b[8:]), be.Uint16(b[12:])
	f.Idle, f.Hard, f.Flags = be.Uint16(b[14:]), be.Uint16(b[16:]), be.Uint16(b[18:])
	f.Cookie, f.Packets, f.Bytes = be.Uint64(b[24:]), be.Uint64(b[32:]), be.Uint64(b[40:])
	n, err := f.Match.decode(b[48:size])
	if err != nil {
		return 0, err
	}
	return size, f.Instructions.decode(b[48+n : size])
}

// Append adds the record.
func (f *FlowStats) Append(b []byte) []byte {
	start := len(b)
	b = be.AppendUint32(append(b, 0, 0, f.Table, 0), f.Seconds)
	b = be.AppendUint16(be.AppendUint32(b, f.Nanoseconds), f.Priority)
	b = be.AppendUint16(be.AppendUint16(be.AppendUint16(b, f.Idle), f.Hard), f.Flags)
	b = be.AppendUint64(zeros(b, 4), f.Cookie)
	b = be.AppendUint64(be.AppendUint64(b, f.Packets), f.Bytes)
	b = appendInstructions(appendMatch(b, &f.Match), &f.Instructions)
	be.PutUint16(b[start:], uint16(len(b)-start))
	return b
}

// Aggregate are the counters of all flows asked for together.
type Aggregate struct {
	Packets, Bytes uint64
	Flows          uint32
}

func (a *Aggregate) next(b []byte) (int, error) {
	if len(b) < 24 {
		return 0, short("aggregate", b, 24)
	}
	*a = Aggregate{be.Uint64(b), be.Uint64(b[8:]), be.Uint32(b[16:])}
	return 24, nil
}

// Append adds the record.
func (a *Aggregate) Append(b []byte) []byte {
	b = be.AppendUint64(be.AppendUint64(b, a.Packets), a.Bytes)
	return zeros(be.AppendUint32(b, a.Flows), 4)
}

// PortStats are the counters of a port.
type PortStats struct {
	Number               uint32
	RxPackets, TxPackets uint64
	RxBytes, TxBytes     uint64
	RxDropped, TxDropped uint64
}

const portStatsSize = 112

func (p *PortStats) next(b []byte) (int, error) {
	if len(b) < portStatsSize {
		return 0, short("port statistics", b, portStatsSize)
	}
	*p = PortStats{
		be.Uint32(b), be.Uint64(b[8:]), be.Uint64(b[16:]), be.Uint64(b[24:]), be.Uint64(b[32:]), be.Uint64(b[40:]), be.Uint64(b[48:]),
	}
	return portStatsSize, nil
}

// Append adds the record.
func (p *PortStats) Append(b []byte) []byte {
	b = zeros(be.AppendUint32(b, p.Number), 4)
	for _, v := range []uint64{p.RxPackets, p.TxPackets, p.RxBytes, p.TxBytes, p.RxDropped, p.TxDropped} {
		b = be.AppendUint64(b, v)
	}
	return zeros(b, portStatsSize-56)
}

// MeterConfig is a meter of a switch.
type MeterConfig struct{ Meter }

func (m *MeterConfig) next(b []byte) (int, error) {
	if len(b) < 8 {
		return 0, short("meter", b, 8)
	}
	size := int(be.Uint16(b))
	if size < 8 || size > len(b) {
		return 0, short("meter", b, size)
	}
	return size, m.decode(b[2:size])
}

// Append adds the record.
func (m *MeterConfig) Append(b []byte) []byte {
	start := len(b)
	b = m.append(append(b, 0, 0), true)
	be.PutUint16(b[start:], uint16(len(b)-start))
	return b
}

// MeterStats are the counters of a meter.
type MeterStats struct {
	ID             uint32
	Flows          uint32 // that use it
	Packets, Bytes uint64 // that came to it
	Dropped        uint64 // packets beyond the rate
}

func (m *MeterStats) next(b []byte) (int, error) {
	if len(b) < 40 {
		return 0, short("meter statistics", b, 40)
	}
	size := int(be.Uint16(b[4:]))
	if size < 40 || size > len(b) {
		return 0, short("meter statistics", b, size)
	}
	*m = MeterStats{ID: be.Uint32(b), Flows: be.Uint32(b[12:]), Packets: be.Uint64(b[16:]), Bytes: be.Uint64(b[24:])}
	for band := b[40:size]; len(band) >= 16; band = band[16:] {
		m.Dropped += be.Uint64(band)
	}
	return size, nil
}

// Append adds the record.
func (m *MeterStats) Append(b []byte) []byte {
	b = zeros(be.AppendUint16(be.AppendUint32(b, m.ID), 56), 6)
	b = be.AppendUint64(be.AppendUint64(be.AppendUint32(b, m.Flows), m.Packets), m.Bytes)
	return zeros(be.AppendUint64(zeros(b, 8), m.Dropped), 8)
}

// MeterFeatures is what a switch can do with meters.
type MeterFeatures struct {
	Max          uint32 // meters
	BandTypes    uint32 // bit t for type t
	Capabilities uint32
}

// Drops reports whether the switch has meters that drop by packets per second.
func (m *MeterFeatures) Drops() bool {
	return m.Max > 0 && m.BandTypes>>bandDrop&1 != 0 && m.Capabilities&meterPackets != 0
}

func (m *MeterFeatures) next(b []byte) (int, error) {
	if len(b) < 16 {
		return 0, short("meter features", b, 16)
	}
	*m = MeterFeatures{be.Uint32(b), be.Uint32(b[4:]), be.Uint32(b[8:])}
	return 16, nil
}

// Append adds the record.
func (m *MeterFeatures) Append(b []byte) []byte {
	return zeros(be.AppendUint32(be.AppendUint32(be.AppendUint32(b, m.Max), m.BandTypes), m.Capabilities), 4)
}
