package ofp

import "fmt"

// Part is what a multipart message asks for or brings.
type Part uint16

// The parts that mlids uses.
const (
	PartDescription   Part = 0
	PartFlows         Part = 1
	PartAggregate     Part = 2
	PartPortStats     Part = 4
	PartMeterStats    Part = 9
	PartMeterConfig   Part = 10
	PartMeterFeatures Part = 11
	PartPorts         Part = 13
)

// MultipartRequest asks for a list. Which of the fields count depends on the part.
type MultipartRequest struct {
	Of                 Part
	Table              uint8 // flows, aggregate: TableAll for all
	Cookie, CookieMask uint64
	Match              Match
	Port               uint32 // port statistics: 0 stands for all
	Meter              uint32 // meters: MeterAll for all
}

// Type is TypeMultipartRequest.
func (*MultipartRequest) Type() Type { return TypeMultipartRequest }

// AppendBody adds the request.
func (m *MultipartRequest) AppendBody(b []byte) []byte {
	b = zeros(be.AppendUint16(b, uint16(m.Of)), 6)
	switch m.Of {
	case PartFlows, PartAggregate:
		b = zeros(append(b, m.Table), 3)
		b = zeros(be.AppendUint32(be.AppendUint32(b, PortAny), groupAny), 4)
		b = be.AppendUint64(be.AppendUint64(b, m.Cookie), m.CookieMask)
		return appendMatch(b, &m.Match)
	case PartPortStats:
		return zeros(be.AppendUint32(b, orAny(m.Port)), 4)
	case PartMeterStats, PartMeterConfig:
		return zeros(be.AppendUint32(b, m.Meter), 4)
	}
	return b
}

// Decode reads a request.
func (m *MultipartRequest) Decode(body []byte) error {
	if err := need(TypeMultipartRequest, body, 8); err != nil {
		return err
	}
	*m = MultipartRequest{Of: Part(be.Uint16(body))}
	switch body = body[8:]; m.Of {
	case PartFlows, PartAggregate:
		if err := need(TypeMultipartRequest, body, 32); err != nil {
			return err
		}
		m.Table, m.Cookie, m.CookieMask = body[0], be.Uint64(body[16:]), be.Uint64(body[24:])
		if _, err := m.Match.decode(body[32:]); err != nil {
			return fmt.Errorf("multipart request: %w", err)
		}
	case PartPortStats:
		if err := need(TypeMultipartRequest, body, 8); err != nil {
			return err
		}
		m.Port = notAny(be.Uint32(body))
	case PartMeterStats, PartMeterConfig:
		if err := need(TypeMultipartRequest, body, 8); err != nil {
			return err
		}
		m.Meter = be.Uint32(body)
	}
	return nil
}

// MultipartReply is one message of an answer.
type MultipartReply struct {
	Of   Part
	More bool   // further messages of the same answer follow
	Body []byte // records of the part, whole ones only
}

// Type is TypeMultipartReply.
func (*MultipartReply) Type() Type { return TypeMultipartReply }

// AppendBody adds the message.
func (m *MultipartReply) AppendBody(b []byte) []byte {
	b = be.AppendUint16(b, uint16(m.Of))
	more := uint16(0)
	if m.More {
		more = 1
	}
	return append(zeros(be.AppendUint16(b, more), 4), m.Body...)
}

// Decode reads the message, not the records in its body.
func (m *MultipartReply) Decode(body []byte) error {
	if err := need(TypeMultipartReply, body, 8); err != nil {
		return err
	}
	*m = MultipartReply{Of: Part(be.Uint16(body)), More: be.Uint16(body[2:])&1 != 0, Body: body[8:]}
	return nil
}
