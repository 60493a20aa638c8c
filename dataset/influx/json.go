package influx

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonForm is the form of answers that every version gives.
type jsonForm struct {
	d    *jsontext.Decoder
	text []byte
}

func newJSON(r io.Reader) *jsonForm {
	in := &boundedText{r: r}
	in.d = jsontext.NewDecoder(in, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	return &jsonForm{d: in.d}
}

// boundedText refuses to read on where the decoder holds more than one name or value may have: it would hold any length.
type boundedText struct {
	r    io.Reader
	d    *jsontext.Decoder
	read int64
}

func (b *boundedText) Read(p []byte) (int, error) {
	if b.read-b.d.InputOffset() > 2*maxText {
		return 0, fmt.Errorf("%w: a text of more than %d bytes", errForm, maxText)
	}
	n, err := b.r.Read(p)
	b.read += int64(n)
	return n, err
}

func (j *jsonForm) more() (bool, error) {
	if j.d.PeekKind() == 0 {
		_, err := j.d.ReadToken()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		return false, err
	}
	return true, nil
}

// open reads the token that must start what is read next.
func (j *jsonForm) open(want jsontext.Kind) error {
	t, err := j.d.ReadToken()
	if err == nil && t.Kind() != want {
		err = fmt.Errorf("%w: %s; want %s", errForm, t.Kind(), want)
	}
	return err
}

func (j *jsonForm) object(member func(string) error) error {
	if err := j.open('{'); err != nil {
		return err
	}
	for j.d.PeekKind() == '"' {
		key, err := j.string()
		if err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
	}
	return j.open('}')
}

func (j *jsonForm) array(element func(int) error) error {
	if err := j.open('['); err != nil {
		return err
	}
	for i := 0; j.d.PeekKind() != ']' && j.d.PeekKind() != 0; i++ {
		if err := element(i); err != nil {
			return err
		}
	}
	return j.open(']')
}

func (j *jsonForm) string() (string, error) {
	t, err := j.d.ReadToken()
	if err == nil && t.Kind() != '"' {
		err = fmt.Errorf("%w: %s; want a text", errForm, t.Kind())
	}
	if err != nil {
		return "", err
	}
	return t.String(), nil
}

func (j *jsonForm) flag() (bool, error) {
	t, err := j.d.ReadToken()
	return err == nil && t.Kind() == 't', err
}

func (j *jsonForm) skip() error { return j.d.SkipValue() }

func (j *jsonForm) value(to rows, field int) error {
	switch j.d.PeekKind() {
	case '0':
		return j.number(to, field)
	case '"':
		text, err := j.d.ReadValue()
		if err == nil {
			j.text, err = jsontext.AppendUnquote(j.text[:0], text)
		}
		if err != nil && len(j.text) == 0 {
			return err
		}
		return to.text(field, j.text)
	case 't', 'f':
		v, err := j.flag()
		if err != nil {
			return err
		}
		return to.number(field, truth(v))
	}
	return j.skip() // null
}

// number keeps whole numbers whole: times have more digits than a float64.
func (j *jsonForm) number(to rows, field int) error {
	text, err := j.d.ReadValue()
	if err != nil {
		return err
	}
	if i, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return to.integer(field, i)
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("%w: number %.40q", errForm, text)
	}
	return to.number(field, f)
}
