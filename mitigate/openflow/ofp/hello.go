package ofp

import "fmt"

// Hello opens a connection. Both sides tell which versions they speak.
type Hello struct {
	Versions uint32 // bit v for version v on the wire; 0 when the peer sent no bitmap: then its header's version counts
}

// Type is TypeHello.
func (*Hello) Type() Type { return TypeHello }

// helloBitmap is the type of the only hello element there is.
const helloBitmap = 1

// AppendBody adds a version bitmap, when there is one.
func (m *Hello) AppendBody(b []byte) []byte {
	if m.Versions == 0 {
		return b
	}
	b = be.AppendUint16(b, helloBitmap)
	b = be.AppendUint16(b, 8)
	return be.AppendUint32(b, m.Versions)
}

// Decode reads the elements of a hello, those not known being skipped.
func (m *Hello) Decode(body []byte) error {
	*m = Hello{}
	for len(body) >= 4 {
		kind, size := be.Uint16(body), int(be.Uint16(body[2:]))
		if size < 4 || size > len(body) {
			return fmt.Errorf("hello: element of %d bytes: %w", size, ErrLength)
		}
		if kind == helloBitmap && size >= 8 {
			m.Versions = be.Uint32(body[4:])
		}
		body = body[min(padded(size), len(body)):]
	}
	return nil
}

// Speaks reports whether the peer that sent the hello with this header can speak OpenFlow 1.3.
func (m *Hello) Speaks(h Header) bool {
	if m.Versions != 0 {
		return m.Versions>>Version&1 != 0
	}
	return h.Version >= Version
}

// Echo is a request for a sign of life, or the answer to one.
type Echo struct {
	Reply bool
	Data  []byte // the answer repeats it
}

// Type is TypeEchoRequest or TypeEchoReply.
func (m *Echo) Type() Type {
	if m.Reply {
		return TypeEchoReply
	}
	return TypeEchoRequest
}

// AppendBody adds the data.
func (m *Echo) AppendBody(b []byte) []byte { return append(b, m.Data...) }

// Decode takes the whole body as data. Reply stays as it is: the header tells.
func (m *Echo) Decode(body []byte) error {
	m.Data = body
	return nil
}

// Empty is a message without a body: a request for features, for the configuration, a barrier and its reply.
type Empty struct{ Of Type }

// Type is m.Of.
func (m *Empty) Type() Type { return m.Of }

// AppendBody adds nothing.
func (*Empty) AppendBody(b []byte) []byte { return b }

// Decode accepts no body.
func (m *Empty) Decode(body []byte) error {
	if len(body) != 0 {
		return fmt.Errorf("%v: %d bytes of body, want none: %w", m.Of, len(body), ErrLength)
	}
	return nil
}

// Features is a switch's answer to a request for its features.
type Features struct {
	Datapath     uint64
	Buffers      uint32 // packets that the switch can keep; 0 for none
	Tables       uint8
	Auxiliary    uint8 // 0 for the main connection
	Capabilities uint32
}

// Type is TypeFeaturesReply.
func (*Features) Type() Type { return TypeFeaturesReply }

// AppendBody adds the features.
func (m *Features) AppendBody(b []byte) []byte {
	b = be.AppendUint64(b, m.Datapath)
	b = be.AppendUint32(b, m.Buffers)
	b = append(b, m.Tables, m.Auxiliary, 0, 0)
	b = be.AppendUint32(b, m.Capabilities)
	return zeros(b, 4)
}

// Decode reads the features.
func (m *Features) Decode(body []byte) error {
	if err := need(TypeFeaturesReply, body, 24); err != nil {
		return err
	}
	*m = Features{
		Datapath: be.Uint64(body), Buffers: be.Uint32(body[8:]), Tables: body[12], Auxiliary: body[13], Capabilities: be.Uint32(body[16:]),
	}
	return nil
}

// Config is how a switch treats fragments and how much of a packet without an own limit it sends to the controller.
type Config struct {
	Reply   bool // a switch's answer, else a command
	Flags   uint16
	MissLen uint16 // bytes
}

// Type is TypeGetConfigReply or TypeSetConfig.
func (m *Config) Type() Type {
	if m.Reply {
		return TypeGetConfigReply
	}
	return TypeSetConfig
}

// AppendBody adds the configuration.
func (m *Config) AppendBody(b []byte) []byte {
	return be.AppendUint16(be.AppendUint16(b, m.Flags), m.MissLen)
}

// Decode reads the configuration. Reply stays as it is: the header tells.
func (m *Config) Decode(body []byte) error {
	if err := need(m.Type(), body, 4); err != nil {
		return err
	}
	m.Flags, m.MissLen = be.Uint16(body), be.Uint16(body[2:])
	return nil
}
