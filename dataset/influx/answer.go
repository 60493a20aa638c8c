package influx

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// The forms in which a server may answer.
const (
	mediaMsgpack = "application/x-msgpack"
	mediaJSON    = "application/json"
)

// Limits of an answer, whatever the server says.
const (
	maxColumns = 4096
	maxText    = 1 << 20 // bytes of a name or value
)

// errForm is an answer that does not have the form of one.
var errForm = errors.New("malformed answer")

// rows takes the rows of an answer.
type rows interface {
	columns(names []string) error // before the first row, and again for each chunk
	number(field int, v float64) error
	integer(field int, v int64) error
	text(field int, v []byte) error
	end() error // of a row; fields that were not set are null
}

// form is an encoding of answers: the documents of a stream, one for each chunk.
type form interface {
	more() (bool, error) // another document follows
	object(member func(key string) error) error
	array(element func(i int) error) error
	string() (string, error)
	flag() (bool, error)
	value(to rows, field int) error
	skip() error
}

// answer reads the answer to a query, all chunks of it.
type answer struct {
	form
	rows    rows
	whole   func(to rows, n int) (bool, error) // reads a row at once where it can; may be nil
	partial bool                               // of the last chunk: there should have been another one
	names   []string
}

// readAnswer hands the rows of an answer on.
func readAnswer(r io.Reader, media string, to rows) error {
	a := answer{rows: to}
	switch media, _, _ = mime.ParseMediaType(media); media {
	case mediaMsgpack:
		m := newMsgpack(r)
		a.form, a.whole = m, m.whole
	case mediaJSON:
		a.form = newJSON(r)
	default:
		return fmt.Errorf("%w: it is %q; want %s or %s", errForm, media, mediaMsgpack, mediaJSON)
	}
	for {
		more, err := a.more()
		if err == nil && !more && a.partial {
			err = io.ErrUnexpectedEOF
		}
		if err != nil || !more {
			return err
		}
		if err := a.object(a.document); err != nil {
			return err
		}
	}
}

func (a *answer) document(key string) error {
	switch key {
	case "error":
		return a.failure()
	case "results":
		return a.array(func(int) error {
			a.partial = false
			return a.object(a.result)
		})
	}
	return a.skip()
}

func (a *answer) failure() error {
	text, err := a.string()
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %s", ErrServer, text)
}

func (a *answer) result(key string) error {
	switch key {
	case "error":
		return a.failure()
	case "series":
		return a.array(func(int) error {
			a.names = nil
			return a.object(a.series)
		})
	case "partial":
		return a.continued()
	}
	return a.skip()
}

// continued notes that another chunk has to come.
func (a *answer) continued() error {
	partial, err := a.flag()
	a.partial = a.partial || partial
	return err
}

func (a *answer) series(key string) error {
	switch key {
	case "columns":
		return a.header()
	case "values":
		if a.names == nil {
			return fmt.Errorf("%w: values before columns", errForm)
		}
		return a.array(func(int) error { return a.row() })
	case "partial":
		return a.continued()
	}
	return a.skip()
}

func (a *answer) header() error {
	a.names = []string{}
	err := a.array(func(i int) error {
		if i == maxColumns {
			return fmt.Errorf("%w: more than %d columns", errForm, maxColumns)
		}
		name, err := a.string()
		a.names = append(a.names, name)
		return err
	})
	if err != nil {
		return err
	}
	return a.rows.columns(slices.Clip(a.names))
}

func (a *answer) row() error {
	if a.whole != nil {
		if done, err := a.whole(a.rows, len(a.names)); err != nil {
			return err
		} else if done {
			return a.rows.end()
		}
	}
	n := 0
	err := a.array(func(i int) error {
		n++
		if i >= len(a.names) {
			return fmt.Errorf("%w: a row of more values than the %d columns", errForm, len(a.names))
		}
		return a.value(a.rows, i)
	})
	if err == nil && n < len(a.names) {
		err = fmt.Errorf("%w: a row of %d values; want %d", errForm, n, len(a.names))
	}
	if err != nil {
		return err
	}
	return a.rows.end()
}

// message is what the body of a refusal says, of whichever version.
func message(r *http.Response, body []byte) string {
	var said struct {
		Error   string `json:"error"`
		Message string `json:"message"` // of InfluxDB 2
	}
	if json.Unmarshal(body, &said) == nil && said.Error+said.Message != "" {
		return strings.TrimSpace(said.Error + " " + said.Message)
	}
	if text := r.Header.Get("X-Influxdb-Error"); text != "" {
		return text
	}
	return fmt.Sprintf("%.200q", body)
}
