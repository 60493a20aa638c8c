package ofp

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Version is OpenFlow 1.3 on the wire.
const Version = 4

// HeaderSize is the size of a message's header, MaxMessage that of the longest message, in bytes.
const (
	HeaderSize = 8
	MaxMessage = 65535
)

// The ways in which bytes are no message. They come wrapped with the message's type and the place.
var (
	ErrVersion   = errors.New("not OpenFlow 1.3")
	ErrLength    = errors.New("wrong length")
	ErrMalformed = errors.New("malformed message")
)

// Type is the type of a message.
type Type uint8

// The types of messages that mlids uses.
const (
	TypeHello            Type = 0
	TypeError            Type = 1
	TypeEchoRequest      Type = 2
	TypeEchoReply        Type = 3
	TypeExperimenter     Type = 4
	TypeFeaturesRequest  Type = 5
	TypeFeaturesReply    Type = 6
	TypeGetConfigRequest Type = 7
	TypeGetConfigReply   Type = 8
	TypeSetConfig        Type = 9
	TypePacketIn         Type = 10
	TypeFlowRemoved      Type = 11
	TypePortStatus       Type = 12
	TypePacketOut        Type = 13
	TypeFlowMod          Type = 14
	TypeMultipartRequest Type = 18
	TypeMultipartReply   Type = 19
	TypeBarrierRequest   Type = 20
	TypeBarrierReply     Type = 21
	TypeRoleRequest      Type = 24
	TypeRoleReply        Type = 25
	TypeMeterMod         Type = 29
)

// maxType is the highest type that OpenFlow 1.3 has.
const maxType = TypeMeterMod

var typeNames = map[Type]string{
	TypeHello: "hello", TypeError: "error", TypeEchoRequest: "echo request", TypeEchoReply: "echo reply",
	TypeExperimenter: "experimenter", TypeFeaturesRequest: "features request", TypeFeaturesReply: "features reply",
	TypeGetConfigRequest: "get-config request", TypeGetConfigReply: "get-config reply", TypeSetConfig: "set-config",
	TypePacketIn: "packet-in", TypeFlowRemoved: "flow-removed", TypePortStatus: "port-status", TypePacketOut: "packet-out",
	TypeFlowMod: "flow-mod", TypeMultipartRequest: "multipart request", TypeMultipartReply: "multipart reply",
	TypeBarrierRequest: "barrier request", TypeBarrierReply: "barrier reply", TypeRoleRequest: "role request",
	TypeRoleReply: "role reply", TypeMeterMod: "meter-mod",
}

// String is the name that the specification gives the type.
func (t Type) String() string {
	if name, ok := typeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// Header begins each message.
type Header struct {
	Version uint8
	Type    Type
	Length  uint16 // of the whole message
	XID     uint32 // a reply has that of its request
}

// ParseHeader reads the first HeaderSize bytes of b. It checks the length, but not the version: a hello may have any.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderSize {
		return Header{}, fmt.Errorf("header of %d bytes: %w", len(b), ErrLength)
	}
	h := Header{Version: b[0], Type: Type(b[1]), Length: be.Uint16(b[2:]), XID: be.Uint32(b[4:])}
	if h.Length < HeaderSize {
		return h, fmt.Errorf("%v of %d bytes: %w", h.Type, h.Length, ErrLength)
	}
	return h, nil
}

// Message is what Append writes and Decode reads: the part behind the header.
type Message interface {
	Type() Type
	AppendBody(b []byte) []byte
	// Decode fills the message from a body. Its slices then point into body.
	Decode(body []byte) error
}

// Append adds m with its header to b. A message must not become longer than MaxMessage: the sender bounds what it puts in.
func Append(b []byte, xid uint32, m Message) []byte {
	start := len(b)
	b = append(b, Version, byte(m.Type()), 0, 0)
	b = be.AppendUint32(b, xid)
	b = m.AppendBody(b)
	be.PutUint16(b[start+2:], uint16(len(b)-start))
	return b
}

var be = binary.BigEndian

// need is the error of a body that is too short for what it must hold.
func need(t Type, body []byte, size int) error {
	if len(body) >= size {
		return nil
	}
	return fmt.Errorf("%v: %d bytes of body, want %d: %w", t, len(body), size, ErrLength)
}

// zeros adds n bytes of padding.
func zeros(b []byte, n int) []byte {
	return append(b, make([]byte, n)...)
}

// padded is n rounded up to a multiple of 8.
func padded(n int) int { return (n + 7) &^ 7 }

// cut is a string that a switch sent in a field of fixed size, up to the first zero byte.
func cut(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}
