package ofp

import "fmt"

// Why a packet came to the controller.
const (
	ReasonNoMatch = 0
	ReasonAction  = 1
)

// PacketIn is a packet that a switch hands to the controller.
type PacketIn struct {
	Buffer   uint32 // NoBuffer: Data is all there is
	TotalLen uint16 // bytes that the packet had on the wire
	Reason   uint8
	Table    uint8
	Cookie   uint64 // of the flow that sent it
	Match    Match  // InPort at least
	Data     []byte // the frame, cut off at the action's MaxLen
}

// Type is TypePacketIn.
func (*PacketIn) Type() Type { return TypePacketIn }

// AppendBody adds the packet.
func (m *PacketIn) AppendBody(b []byte) []byte {
	b = be.AppendUint16(be.AppendUint32(b, m.Buffer), m.TotalLen)
	b = be.AppendUint64(append(b, m.Reason, m.Table), m.Cookie)
	b = zeros(appendMatch(b, &m.Match), 2)
	return append(b, m.Data...)
}

// Decode reads a packet. One that tells no port is malformed.
func (m *PacketIn) Decode(body []byte) error {
	if err := need(TypePacketIn, body, 16); err != nil {
		return err
	}
	m.Buffer, m.TotalLen = be.Uint32(body), be.Uint16(body[4:])
	m.Reason, m.Table, m.Cookie = body[6], body[7], be.Uint64(body[8:])
	n, err := m.Match.decode(body[16:])
	if err != nil {
		return fmt.Errorf("packet-in: %w", err)
	}
	if m.Match.Set&HasInPort == 0 {
		return fmt.Errorf("packet-in without a port: %w", ErrMalformed)
	}
	rest := body[16+n:]
	if err := need(TypePacketIn, rest, 2); err != nil {
		return err
	}
	m.Data = rest[2:]
	return nil
}

// PacketOut sends a packet through a switch.
type PacketOut struct {
	Buffer  uint32
	InPort  uint32 // PortController, or where the packet came from
	Actions []Action
	Data    []byte
}

// Type is TypePacketOut.
func (*PacketOut) Type() Type { return TypePacketOut }

// AppendBody adds the packet.
func (m *PacketOut) AppendBody(b []byte) []byte {
	b = be.AppendUint32(be.AppendUint32(b, m.Buffer), m.InPort)
	size := len(b)
	b = zeros(b, 8)
	start := len(b)
	for i := range m.Actions {
		b = appendAction(b, &m.Actions[i])
	}
	be.PutUint16(b[size:], uint16(len(b)-start))
	return append(b, m.Data...)
}

// Decode reads a packet-out.
func (m *PacketOut) Decode(body []byte) (err error) {
	if err := need(TypePacketOut, body, 16); err != nil {
		return err
	}
	m.Buffer, m.InPort = be.Uint32(body), be.Uint32(body[4:])
	size := int(be.Uint16(body[8:]))
	if err := need(TypePacketOut, body, 16+size); err != nil {
		return err
	}
	m.Data = body[16+size:]
	if m.Actions, err = decodeActions(m.Actions[:0], body[16:16+size]); err != nil {
		return fmt.Errorf("packet-out: %w", err)
	}
	return nil
}
