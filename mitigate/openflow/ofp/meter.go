package ofp

import "fmt"

// The commands of a meter-mod.
const (
	MeterAdd    Command = 0
	MeterModify Command = 1
	MeterDelete Command = 2
)

// Numbers of meters with a meaning of their own.
const (
	MeterController = 0xfffffffe // bounds all packets that go to the controller
	MeterAll        = 0xffffffff
)

// meterFlags: rates are packets per second, there is a burst size, packets are counted.
const (
	meterPackets = 1 << 1
	meterBurst   = 1 << 2
	meterStats   = 1 << 3
	bandDrop     = 1
)

// Meter drops packets beyond a rate.
type Meter struct {
	ID    uint32
	Rate  uint32 // packets per second; 0 for a meter without this package's kind of band
	Burst uint32 // packets
}

// append adds the flags, the number and the band, and flags first: that order is of meter-mod and meter configuration alike.
func (m *Meter) append(b []byte, hasBand bool) []byte {
	b = be.AppendUint32(be.AppendUint16(b, meterPackets|meterBurst|meterStats), m.ID)
	if !hasBand {
		return b
	}
	b = be.AppendUint32(append(b, 0, bandDrop, 0, 16), m.Rate)
	return zeros(be.AppendUint32(b, m.Burst), 4)
}

// decode reads the number and the bands.
func (m *Meter) decode(b []byte) error {
	flags := be.Uint16(b)
	*m = Meter{ID: be.Uint32(b[2:])}
	for b = b[6:]; len(b) > 0; {
		if len(b) < 4 {
			return fmt.Errorf("meter band in %d bytes: %w", len(b), ErrLength)
		}
		kind, size := be.Uint16(b), int(be.Uint16(b[2:]))
		if size < 12 || size > len(b) {
			return fmt.Errorf("meter band of %d bytes: %w", size, ErrLength)
		}
		if kind == bandDrop && flags&meterPackets != 0 {
			m.Rate, m.Burst = be.Uint32(b[4:]), be.Uint32(b[8:])
		}
		b = b[size:]
	}
	return nil
}

// MeterMod makes, changes or removes a meter.
type MeterMod struct {
	Command Command
	Meter   Meter
}

// Type is TypeMeterMod.
func (*MeterMod) Type() Type { return TypeMeterMod }

// AppendBody adds the meter-mod; one that deletes has no band.
func (m *MeterMod) AppendBody(b []byte) []byte {
	b = append(b, 0, byte(m.Command))
	return m.Meter.append(b, m.Command != MeterDelete)
}

// Decode reads a meter-mod.
func (m *MeterMod) Decode(body []byte) error {
	if err := need(TypeMeterMod, body, 8); err != nil {
		return err
	}
	m.Command = Command(be.Uint16(body))
	if err := m.Meter.decode(body[2:]); err != nil {
		return fmt.Errorf("meter-mod: %w", err)
	}
	return nil
}
