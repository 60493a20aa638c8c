package influx

import (
	"errors"
	"fmt"
	"io"

	"github.com/tinylib/msgp/msgp"
)

// msgpack is the form of answers that InfluxDB 1 and 2 give; its numbers are binary.
type msgpack struct {
	r    *msgp.Reader
	text []byte
}

func newMsgpack(r io.Reader) *msgpack { return &msgpack{r: msgp.NewReaderSize(r, 1<<16)} }

func (m *msgpack) more() (bool, error) {
	_, err := m.r.NextType()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil, err
}

func (m *msgpack) object(member func(string) error) error {
	n, err := m.r.ReadMapHeader()
	if err != nil {
		return err
	}
	for range n {
		key, err := m.string()
		if err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
	}
	return nil
}

func (m *msgpack) array(element func(int) error) error {
	n, err := m.r.ReadArrayHeader()
	if err != nil {
		return err
	}
	for i := range int(n) {
		if err := element(i); err != nil {
			return err
		}
	}
	return nil
}

// bytes reads a text; it is valid until the next.
func (m *msgpack) bytes() ([]byte, error) {
	n, err := m.r.ReadStringHeader()
	if err != nil {
		return nil, err
	}
	if n > maxText {
		return nil, fmt.Errorf("%w: a text of %d bytes", errForm, n)
	}
	m.text = grown(m.text, int(n))
	_, err = m.r.ReadFull(m.text)
	return m.text, err
}

func (m *msgpack) string() (string, error) {
	text, err := m.bytes()
	return string(text), err
}

func (m *msgpack) flag() (bool, error) { return m.r.ReadBool() }

func (m *msgpack) skip() error { return m.r.Skip() }

func (m *msgpack) value(to rows, field int) error {
	kind, err := m.r.NextType()
	if err != nil {
		return err
	}
	switch kind {
	case msgp.Float64Type, msgp.Float32Type:
		v, err := m.r.ReadFloat64()
		if err != nil {
			return err
		}
		return to.number(field, v)
	case msgp.IntType:
		v, err := m.r.ReadInt64()
		if err != nil {
			return err
		}
		return to.integer(field, v)
	case msgp.UintType:
		v, err := m.r.ReadUint64()
		if err != nil {
			return err
		}
		return to.number(field, float64(v))
	case msgp.StrType:
		v, err := m.bytes()
		if err != nil {
			return err
		}
		return to.text(field, v)
	case msgp.BoolType:
		v, err := m.r.ReadBool()
		if err != nil {
			return err
		}
		return to.number(field, truth(v))
	}
	return m.r.Skip() // null
}

// truth is the number that stands for a truth value.
func truth(v bool) float64 {
	if v {
		return 1
	}
	return 0
}

// grown returns s with length n; its old content is lost.
func grown(s []byte, n int) []byte {
	if cap(s) < n {
		return make([]byte, n)
	}
	return s[:n]
}
