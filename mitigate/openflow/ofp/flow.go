package ofp

import "fmt"

// Command is what a flow-mod or a meter-mod does.
type Command uint8

// The commands of a flow-mod. Strict: only the flow with the same match and priority.
const (
	FlowAdd          Command = 0
	FlowDelete       Command = 3
	FlowDeleteStrict Command = 4
)

// FlagRemoved asks for a flow-removed when the flow ends.
const FlagRemoved = 1

// TableAll stands for all tables when flows are deleted or listed.
const TableAll = 0xff

// GroupAny stands for any group when flows are deleted or listed.
const groupAny = 0xffffffff

// FlowMod puts a flow into a table, or takes flows out.
type FlowMod struct {
	Cookie, CookieMask uint64 // the mask chooses among the flows to delete
	Table              uint8
	Command            Command
	Idle, Hard         uint16 // seconds without a packet, or altogether, until the flow ends; 0 for never
	Priority           uint16
	OutPort            uint32 // to delete only flows that output there; 0 stands for PortAny
	Flags              uint16
	Match              Match
	Instructions       Instructions
}

// Type is TypeFlowMod.
func (*FlowMod) Type() Type { return TypeFlowMod }

// AppendBody adds the flow-mod.
func (m *FlowMod) AppendBody(b []byte) []byte {
	b = be.AppendUint64(be.AppendUint64(b, m.Cookie), m.CookieMask)
	b = append(b, m.Table, byte(m.Command))
	b = be.AppendUint16(be.AppendUint16(b, m.Idle), m.Hard)
	b = be.AppendUint32(be.AppendUint16(b, m.Priority), NoBuffer)
	b = be.AppendUint32(be.AppendUint32(b, orAny(m.OutPort)), groupAny)
	b = append(be.AppendUint16(b, m.Flags), 0, 0)
	return appendInstructions(appendMatch(b, &m.Match), &m.Instructions)
}

// Decode reads a flow-mod.
func (m *FlowMod) Decode(body []byte) error {
	if err := need(TypeFlowMod, body, 40); err != nil {
		return err
	}
	m.Cookie, m.CookieMask = be.Uint64(body), be.Uint64(body[8:])
	m.Table, m.Command = body[16], Command(body[17])
	m.Idle, m.Hard, m.Priority = be.Uint16(body[18:]), be.Uint16(body[20:]), be.Uint16(body[22:])
	m.OutPort, m.Flags = notAny(be.Uint32(body[28:])), be.Uint16(body[36:])
	n, err := m.Match.decode(body[40:])
	if err == nil {
		err = m.Instructions.decode(body[40+n:])
	}
	if err != nil {
		return fmt.Errorf("flow-mod: %w", err)
	}
	return nil
}

// orAny and notAny let 0, which is no port, stand for any.
func orAny(port uint32) uint32 {
	if port == 0 {
		return PortAny
	}
	return port
}

func notAny(port uint32) uint32 {
	if port == PortAny {
		return 0
	}
	return port
}

// Why a flow ended.
const (
	RemovedIdle   = 0
	RemovedHard   = 1
	RemovedDelete = 2
)

// FlowRemoved tells that a flow ended.
type FlowRemoved struct {
	Cookie         uint64
	Priority       uint16
	Reason, Table  uint8
	Seconds        uint32 // that it lasted
	Nanoseconds    uint32 // and these
	Idle, Hard     uint16
	Packets, Bytes uint64
	Match          Match
}

// Type is TypeFlowRemoved.
func (*FlowRemoved) Type() Type { return TypeFlowRemoved }

// AppendBody adds the message.
func (m *FlowRemoved) AppendBody(b []byte) []byte {
	b = be.AppendUint16(be.AppendUint64(b, m.Cookie), m.Priority)
	b = be.AppendUint32(append(b, m.Reason, m.Table), m.Seconds)
	b = be.AppendUint16(be.AppendUint16(be.AppendUint32(b, m.Nanoseconds), m.Idle), m.Hard)
	b = be.AppendUint64(be.AppendUint64(b, m.Packets), m.Bytes)
	return appendMatch(b, &m.Match)
}

// Decode reads a flow-removed.
func (m *FlowRemoved) Decode(body []byte) error {
	if err := need(TypeFlowRemoved, body, 40); err != nil {
		return err
	}
	m.Cookie, m.Priority = be.Uint64(body), be.Uint16(body[8:])
	m.Reason, m.Table, m.Seconds, m.Nanoseconds = body[10], body[11], be.Uint32(body[12:]), be.Uint32(body[16:])
	m.Idle, m.Hard = be.Uint16(body[20:]), be.Uint16(body[22:])
	m.Packets, m.Bytes = be.Uint64(body[24:]), be.Uint64(body[32:])
	if _, err := m.Match.decode(body[40:]); err != nil {
		return fmt.Errorf("flow-removed: %w", err)
	}
	return nil
}
