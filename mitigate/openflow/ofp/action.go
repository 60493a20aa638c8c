package ofp

import "fmt"

// Port numbers with a meaning of their own.
const (
	PortMax        = 0xffffff00 // the highest number of a port that packets come from
	PortIn         = 0xfffffff8 // back out of where it came in
	PortController = 0xfffffffd
	PortLocal      = 0xfffffffe // the switch's own network interface
	PortAny        = 0xffffffff
)

// NoBuffer says that the whole packet goes to the controller (as MaxLen), or comes with the message (as a buffer's number).
const (
	MaxLenAll = 0xffff
	NoBuffer  = 0xffffffff
)

// Action is one thing done to a packet: it leaves through a port, possibly the one to the controller.
type Action struct {
	Port   uint32
	MaxLen uint16 // bytes that go to the controller
	Meter  uint32 // bounds what goes to the controller, not what goes on: Open vSwitch's extension; 0 for none
	Other  bool   // something that this package does not know
}

// What an action looks like on the wire.
const (
	actionOutput       = 0
	actionExperimenter = 0xffff
	nicira             = 0x00002320
	niciraController   = 37 // NXAST_CONTROLLER2 of Open vSwitch's nicira-ext.h
	propMaxLen         = 0
	propMeter          = 5
)

// appendAction adds an action.
func appendAction(b []byte, a *Action) []byte {
	if a.Meter == 0 {
		b = append(b, 0, actionOutput, 0, 16)
		b = be.AppendUint32(b, a.Port)
		return zeros(be.AppendUint16(b, a.MaxLen), 6)
	}
	b = append(b, 0xff, 0xff, 0, 32)
	b = be.AppendUint32(b, nicira)
	b = append(b, 0, niciraController, 0, 0, 0, 0, 0, 0)
	b = be.AppendUint16(append(b, 0, propMaxLen, 0, 8), a.MaxLen)
	b = append(b, 0, 0, 0, propMeter, 0, 8)
	return be.AppendUint32(b, a.Meter)
}

// decodeActions adds the actions of b to list.
func decodeActions(list []Action, b []byte) ([]Action, error) {
	for len(b) > 0 {
		if len(b) < 8 {
			return list, fmt.Errorf("action in %d bytes: %w", len(b), ErrLength)
		}
		size := int(be.Uint16(b[2:]))
		if size < 8 || size%8 != 0 || size > len(b) {
			return list, fmt.Errorf("action of %d bytes: %w", size, ErrLength)
		}
		a, err := decodeAction(b[:size])
		if err != nil {
			return list, err
		}
		list, b = append(list, a), b[size:]
	}
	return list, nil
}

func decodeAction(b []byte) (Action, error) {
	switch kind := be.Uint16(b); {
	case kind == actionOutput && len(b) != 16:
		return Action{}, fmt.Errorf("output action of %d bytes: %w", len(b), ErrLength)
	case kind == actionOutput:
		return Action{Port: be.Uint32(b[4:]), MaxLen: be.Uint16(b[8:])}, nil
	case kind == actionExperimenter && len(b) >= 16 && be.Uint32(b[4:]) == nicira && be.Uint16(b[8:]) == niciraController:
		return decodeController(b[16:])
	}
	return Action{Other: true}, nil
}

// decodeController reads the properties of Open vSwitch's controller action.
func decodeController(b []byte) (Action, error) {
	a := Action{Port: PortController, MaxLen: MaxLenAll}
	for len(b) > 0 {
		if len(b) < 8 {
			return a, fmt.Errorf("property of a controller action in %d bytes: %w", len(b), ErrLength)
		}
		kind, size := be.Uint16(b), int(be.Uint16(b[2:]))
		if size < 4 || padded(size) > len(b) {
			return a, fmt.Errorf("property of a controller action of %d bytes: %w", size, ErrLength)
		}
		switch {
		case kind == propMaxLen && size >= 6:
			a.MaxLen = be.Uint16(b[4:])
		case kind == propMeter && size == 8:
			a.Meter = be.Uint32(b[4:])
		default:
			a.Other = true
		}
		b = b[padded(size):]
	}
	return a, nil
}
