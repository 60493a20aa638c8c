package ofp

import "fmt"

// Error is a switch's refusal of a message, or ours of a hello. It is an error of Go, too.
type Error struct {
	Of, Code uint16
	Data     []byte // the beginning of the message refused, at least 64 bytes of it
}

// The types and codes that mlids reacts to.
const (
	ErrorHello     = 0
	ErrorRequest   = 1
	ErrorAction    = 2
	ErrorMatch     = 4
	ErrorFlowMod   = 5
	ErrorRole      = 11
	ErrorMeterMod  = 12
	CodeVersion    = 0  // of ErrorHello
	CodeSlave      = 10 // of ErrorRequest: the sender is a slave
	CodeTableFull  = 1  // of ErrorFlowMod
	CodeStale      = 0  // of ErrorRole: the generation is older than the switch's
	CodeMeterKnown = 1  // of ErrorMeterMod: it exists already
	CodeNoMeter    = 3  // of ErrorMeterMod
)

var errorNames = map[uint16]string{
	0: "hello failed", 1: "bad request", 2: "bad action", 3: "bad instruction", 4: "bad match", 5: "flow-mod failed",
	6: "group-mod failed", 7: "port-mod failed", 8: "table-mod failed", 9: "queue operation failed",
	10: "set-config failed", 11: "role request failed", 12: "meter-mod failed", 13: "table features failed",
}

// Type is TypeError.
func (*Error) Type() Type { return TypeError }

// AppendBody adds the error.
func (m *Error) AppendBody(b []byte) []byte {
	b = be.AppendUint16(be.AppendUint16(b, m.Of), m.Code)
	return append(b, m.Data...)
}

// Decode reads an error.
func (m *Error) Decode(body []byte) error {
	if err := need(TypeError, body, 4); err != nil {
		return err
	}
	*m = Error{Of: be.Uint16(body), Code: be.Uint16(body[2:]), Data: body[4:]}
	return nil
}

// Has reports whether m has the type and code.
func (m *Error) Has(of, code uint16) bool { return m.Of == of && m.Code == code }

// Error names the type, the code by its number and the message refused.
func (m *Error) Error() string {
	name, ok := errorNames[m.Of]
	if !ok {
		name = fmt.Sprintf("error type %d", m.Of)
	}
	text := fmt.Sprintf("%s (code %d)", name, m.Code)
	if m.Of == ErrorHello {
		return text
	}
	if h, err := ParseHeader(m.Data); err == nil {
		text += fmt.Sprintf(" in answer to %v", h.Type)
	}
	return text
}
