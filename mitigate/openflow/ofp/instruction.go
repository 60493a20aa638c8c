package ofp

import "fmt"

// Instructions say what happens to the packets of a flow, in this order. None: they are dropped.
type Instructions struct {
	Meter uint32   // packets beyond its rate are dropped; 0 for none
	Apply []Action // at once
	Write []Action // at the end of the tables
	Goto  uint8    // the table that goes on; 0 for none, for one can only go to a later table
	Other bool     // there was something that this package does not know
}

// The types of instructions.
const (
	instructionGoto  = 1
	instructionWrite = 3
	instructionApply = 4
	instructionMeter = 6
)

// appendInstructions adds the instructions.
func appendInstructions(b []byte, in *Instructions) []byte {
	if in.Meter != 0 {
		b = be.AppendUint32(append(b, 0, instructionMeter, 0, 8), in.Meter)
	}
	b = appendActions(b, instructionApply, in.Apply)
	b = appendActions(b, instructionWrite, in.Write)
	if in.Goto != 0 {
		b = append(b, 0, instructionGoto, 0, 8, in.Goto, 0, 0, 0)
	}
	return b
}

func appendActions(b []byte, kind uint8, actions []Action) []byte {
	if len(actions) == 0 {
		return b
	}
	start := len(b)
	b = append(b, 0, kind, 0, 0, 0, 0, 0, 0)
	for i := range actions {
		b = appendAction(b, &actions[i])
	}
	be.PutUint16(b[start+2:], uint16(len(b)-start))
	return b
}

// decode reads all of b.
func (in *Instructions) decode(b []byte) error {
	*in = Instructions{Apply: in.Apply[:0], Write: in.Write[:0]}
	for len(b) > 0 {
		if len(b) < 8 {
			return fmt.Errorf("instruction in %d bytes: %w", len(b), ErrLength)
		}
		size := int(be.Uint16(b[2:]))
		if size < 8 || size%8 != 0 || size > len(b) {
			return fmt.Errorf("instruction of %d bytes: %w", size, ErrLength)
		}
		if err := in.one(b[:size]); err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}

func (in *Instructions) one(b []byte) (err error) {
	switch be.Uint16(b) {
	case instructionGoto:
		in.Goto = b[4]
	case instructionMeter:
		in.Meter = be.Uint32(b[4:])
	case instructionApply:
		in.Apply, err = decodeActions(in.Apply, b[8:])
	case instructionWrite:
		in.Write, err = decodeActions(in.Write, b[8:])
	default:
		in.Other = true
	}
	return err
}
