package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
)

// parse reads a tensor and decodes its elements, whichever of the two ways they are stored in.
func (t *Tensor) parse(b []byte) error {
	var raw []byte
	external := false
	err := each("tensor", b, func(f field) (err error) {
		switch f.num {
		case 1:
			t.Dims, err = appendInts(t.Dims, f)
		case 2:
			t.Type = int64(f.value)
		case 4:
			t.Floats, err = appendFloats(t.Floats, f)
		case 5, 7, 11:
			t.Ints, err = appendInts(t.Ints, f)
		case 6:
			t.Strings = append(t.Strings, string(f.bytes))
		case 8:
			t.Name = string(f.bytes)
		case 9:
			raw = f.bytes
		case 10:
			t.Doubles, err = appendDoubles(t.Doubles, f)
		case 13, 14:
			external = external || f.num == 13 || f.value != 0
		}
		return err
	})
	if err != nil {
		return err
	}
	if external {
		return fmt.Errorf("%w: tensor %q is kept in another file, not supported", ErrWire, t.Name)
	}
	if raw != nil {
		if err := t.decode(raw); err != nil {
			return err
		}
	}
	return t.check()
}

// decode reads raw_data: the elements in little-endian order.
func (t *Tensor) decode(raw []byte) error {
	switch width := widths[t.Type]; {
	case width == 0:
		return fmt.Errorf("%w: tensor %q: raw elements of type %d are not supported", ErrWire, t.Name, t.Type)
	case len(raw)%width != 0:
		return fmt.Errorf("%w: tensor %q: %d bytes are no whole number of elements of %d bytes", ErrWire, t.Name, len(raw), width)
	}
	for ; len(raw) > 0; raw = raw[widths[t.Type]:] {
		switch t.Type {
		case Float32:
			t.Floats = append(t.Floats, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
		case Double:
			t.Doubles = append(t.Doubles, math.Float64frombits(binary.LittleEndian.Uint64(raw)))
		case Int32:
			t.Ints = append(t.Ints, int64(int32(binary.LittleEndian.Uint32(raw))))
		case Int64:
			t.Ints = append(t.Ints, int64(binary.LittleEndian.Uint64(raw)))
		case Bool, Uint8:
			t.Ints = append(t.Ints, int64(raw[0]))
		}
	}
	return nil
}

// widths are the bytes per element of the types that may be stored raw.
var widths = map[int64]int{Float32: 4, Double: 8, Int32: 4, Int64: 8, Bool: 1, Uint8: 1}

// check tells whether there are as many elements as the shape asks for.
func (t *Tensor) check() error {
	var have int64
	switch t.Type {
	case Float32:
		have = int64(len(t.Floats))
	case Double:
		have = int64(len(t.Doubles))
	case Text:
		have = int64(len(t.Strings))
	case Int32, Int64, Bool, Uint8:
		have = int64(len(t.Ints))
	default:
		return fmt.Errorf("%w: tensor %q: element type %d is not supported", ErrWire, t.Name, t.Type)
	}
	want, err := Size(t.Dims, math.MaxInt32)
	if err != nil {
		return fmt.Errorf("%w: tensor %q: %w", ErrWire, t.Name, err)
	}
	if have != want {
		return fmt.Errorf("%w: tensor %q: %d elements for shape %v", ErrWire, t.Name, have, t.Dims)
	}
	return nil
}

// parse reads a value's name and type.
func (v *Value) parse(b []byte) error {
	return each("value", b, func(f field) error {
		switch f.num {
		case 1:
			v.Name = string(f.bytes)
		case 2:
			return v.parseType(f.bytes)
		}
		return nil
	})
}

func (v *Value) parseType(b []byte) error {
	return each("type", b, func(f field) error {
		if f.num != 1 {
			return nil
		}
		return each("tensor type", f.bytes, func(f field) error {
			switch f.num {
			case 1:
				v.Elem = int64(f.value)
			case 2:
				return v.parseShape(f.bytes)
			}
			return nil
		})
	})
}

func (v *Value) parseShape(b []byte) error {
	return each("shape", b, func(f field) error {
		if f.num != 1 {
			return nil
		}
		size := int64(-1)
		err := each("dimension", f.bytes, func(f field) error {
			if f.num == 1 {
				size = int64(f.value)
			}
			return nil
		})
		v.Dims = append(v.Dims, size)
		return err
	})
}
