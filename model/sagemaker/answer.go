package sagemaker

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"mlids"
)

// Errors of answers.
var (
	errAnswer = errors.New("not understood")
	errRows   = errors.New("wrong number of rows")
)

// maxNesting is how deep the value of a row may lie in arrays and objects of its own.
const maxNesting = 4

// parseAnswer fills in what an answer says of each row. Forms taken: a JSON array with a value for each row, bare or under
// "predictions" or "outputs" ("instances" of some containers); JSON lines; CSV with a line for each row, or all of them on
// one. A value is what decide takes, by itself, in arrays of one, or in an object.
func parseAnswer(contentType string, body []byte, threshold float64, verdicts []mlids.Verdict) error {
	a := &answer{threshold: threshold, rows: len(verdicts)}
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\uFEFF")))
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		media = "" // the body tells
	}
	switch {
	case strings.Contains(media, "jsonl") || strings.Contains(media, "ndjson"):
		err = a.lines(body)
	case media == "text/csv" && !startsJSON(body), media == "text/plain" && !startsJSON(body):
		err = a.csv(body)
	default:
		err = a.document(body)
	}
	if err != nil {
		return err
	}
	if len(a.values) != a.rows {
		return fmt.Errorf("%w: %d answers for %d rows", errRows, len(a.values), a.rows)
	}
	a.settle(verdicts)
	return nil
}

func answerError(endpoint string, err error) *Error {
	return &Error{
		Class: classAnswer, status: http.StatusBadGateway, err: err,
		text: fmt.Sprintf("SageMaker endpoint %s: its answer is of no use: %v", endpoint, err),
	}
}

func startsJSON(body []byte) bool { return len(body) > 0 && (body[0] == '[' || body[0] == '{') }

// answer collects the values of the rows.
type answer struct {
	threshold float64
	rows      int
	values    []value
}

func (a *answer) add(v value) error {
	if len(a.values) >= a.rows {
		return fmt.Errorf("%w: more than %d answers", errRows, a.rows)
	}
	a.values = append(a.values, v)
	return nil
}

// document reads one JSON value that is about all rows.
func (a *answer) document(body []byte) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	if err := a.table(d, 0); err != nil {
		return err
	}
	if d.InputOffset() < int64(len(body)) && len(bytes.TrimSpace(body[d.InputOffset():])) > 0 {
		return fmt.Errorf("%w: text behind the JSON", errAnswer)
	}
	return nil
}

// table reads an array of rows, or the object around it.
func (a *answer) table(d *jsontext.Decoder, depth int) error {
	switch d.PeekKind() {
	case '[':
		return a.array(d, depth)
	case '{':
		if depth > 0 {
			return fmt.Errorf("%w: objects in objects", errAnswer)
		}
		return a.wrapped(d)
	}
	v, err := readValue(d, 0)
	if err != nil {
		return err
	}
	return a.add(v)
}

// wrapped reads the object around an array of rows; the object of a single row looks much the same.
func (a *answer) wrapped(d *jsontext.Decoder) error {
	text, err := d.ReadValue()
	if err != nil {
		return broken(err)
	}
	inner, err := member(text, "predictions", "outputs", "instances")
	if err != nil {
		return err
	}
	if inner != nil {
		if first := bytes.TrimSpace(inner); a.rows != 1 || startsJSON(first) && first[0] == '[' {
			return a.table(jsontext.NewDecoder(bytes.NewBuffer(inner)), 1)
		}
	}
	v, err := readValue(jsontext.NewDecoder(bytes.NewBuffer(text)), 0)
	if err != nil {
		return err
	}
	return a.add(v)
}

// member finds the first of the names in an object; nil for none.
func member(object []byte, names ...string) ([]byte, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(object))
	if _, err := d.ReadToken(); err != nil {
		return nil, broken(err)
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, broken(err)
		}
		for _, wanted := range names {
			if name.String() == wanted {
				text, err := d.ReadValue()
				return bytes.Clone(text), broken(err)
			}
		}
		if err := d.SkipValue(); err != nil {
			return nil, broken(err)
		}
	}
	return nil, nil
}

// array reads an array of rows. One array in an array, for several rows, is a row vector of their values.
func (a *answer) array(d *jsontext.Decoder, depth int) error {
	if _, err := d.ReadToken(); err != nil {
		return broken(err)
	}
	if d.PeekKind() == '[' && a.rows > 1 && depth < 2 {
		text, err := d.ReadValue()
		if err != nil {
			return broken(err)
		}
		first := jsontext.NewDecoder(bytes.NewBuffer(bytes.Clone(text)))
		if d.PeekKind() == ']' {
			err = a.array(first, 2)
		} else {
			err = a.one(first)
		}
		if err != nil {
			return err
		}
	}
	for d.PeekKind() != ']' {
		if err := a.one(d); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return broken(err)
}

func (a *answer) one(d *jsontext.Decoder) error {
	v, err := readValue(d, 0)
	if err != nil {
		return fmt.Errorf("row %d: %w", len(a.values)+1, err)
	}
	return a.add(v)
}

// lines reads JSON lines, one for each row.
func (a *answer) lines(body []byte) error {
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		d := jsontext.NewDecoder(bytes.NewBuffer(line))
		if err := a.one(d); err != nil {
			return err
		}
		if d.InputOffset() != int64(len(line)) {
			return fmt.Errorf("%w: row %d: text behind the JSON", errAnswer, len(a.values))
		}
	}
	return nil
}

// csv reads a line for each row, with one value or a probability for each class, or one line with a value for each row.
func (a *answer) csv(body []byte) error {
	if bytes.IndexByte(body, '\n') < 0 && a.rows > 1 {
		for field := range bytes.SplitSeq(body, []byte(",")) {
			if err := a.text(field); err != nil {
				return err
			}
		}
		return nil
	}
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if bytes.IndexByte(line, ',') < 0 {
			if err := a.text(line); err != nil {
				return err
			}
			continue
		}
		v, err := fromFields(bytes.Split(line, []byte(",")))
		if err != nil {
			return fmt.Errorf("row %d: %w", len(a.values)+1, err)
		}
		if err := a.add(v); err != nil {
			return err
		}
	}
	return nil
}

func (a *answer) text(field []byte) error {
	v, err := fromText(string(bytes.Trim(field, " \t\r\n\"")))
	if err != nil {
		return fmt.Errorf("row %d: %w", len(a.values)+1, err)
	}
	return a.add(v)
}

// settle makes verdicts. 0 and 1 among fractions are probabilities, too; alone they are labels.
func (a *answer) settle(verdicts []mlids.Verdict) {
	fractions := false
	for _, v := range a.values {
		fractions = fractions || v.kind == kindFraction
	}
	for i, v := range a.values {
		if v.kind == kindBit && fractions {
			v.kind = kindFraction
		}
		verdicts[i] = v.verdict(a.threshold)
	}
}

func broken(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errAnswer, err)
}
