package ofp

// What Port.Config and Port.State say.
const (
	ConfigDown  = 1 << 0 // switched off
	StateNoLink = 1 << 0 // no cable, or nothing at its other end
)

// Port is a port of a switch.
type Port struct {
	Number        uint32
	MAC           MAC
	Name          string // at most 15 bytes
	Config, State uint32
	Speed         uint32 // kbit/s now
}

// Up reports whether packets can pass.
func (p *Port) Up() bool { return p.Config&ConfigDown == 0 && p.State&StateNoLink == 0 }

// PortSize is the size of a port's description in bytes.
const PortSize = 64

// Append adds the description.
func (p *Port) Append(b []byte) []byte {
	b = zeros(be.AppendUint32(b, p.Number), 4)
	b = zeros(append(b, p.MAC[:]...), 2)
	name := make([]byte, 16)
	copy(name[:15], p.Name)
	b = be.AppendUint32(be.AppendUint32(append(b, name...), p.Config), p.State)
	return zeros(be.AppendUint32(zeros(b, 16), p.Speed), 4)
}

// decode reads a description of PortSize bytes.
func (p *Port) decode(b []byte) {
	*p = Port{
		Number: be.Uint32(b), MAC: MAC(b[8:14]), Name: cut(b[16:32]), Config: be.Uint32(b[32:]), State: be.Uint32(b[36:]),
		Speed: be.Uint32(b[56:]),
	}
}

// What happened to a port.
const (
	PortAdded    = 0
	PortDeleted  = 1
	PortModified = 2
)

// PortStatus tells of a change of a port.
type PortStatus struct {
	Reason uint8
	Port   Port
}

// Type is TypePortStatus.
func (*PortStatus) Type() Type { return TypePortStatus }

// AppendBody adds the message.
func (m *PortStatus) AppendBody(b []byte) []byte {
	return m.Port.Append(zeros(append(b, m.Reason), 7))
}

// Decode reads a port-status.
func (m *PortStatus) Decode(body []byte) error {
	if err := need(TypePortStatus, body, 8+PortSize); err != nil {
		return err
	}
	m.Reason = body[0]
	m.Port.decode(body[8:])
	return nil
}
