package sagemaker

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"mlids"
)

// kind is what is known of a row.
type kind uint8

const (
	kindBit      kind = iota // 0 or 1: a label, or a probability that is certain
	kindFraction             // the probability of an attack
	kindLabel                // a class
	kindScored               // a class with its probability
)

// value is what an answer says of one row.
type value struct {
	kind   kind
	attack float64 // kindBit, kindFraction: probability of an attack
	class  string  // kindLabel, kindScored
	p      float64 // kindScored: of class; of an attack when there are only two classes
	total  bool    // kindScored: p is the probability of an attack of any class, decided by the threshold
}

const (
	maxClasses = 1 << 10
	maxLabel   = 128 // bytes
	benign     = "benign"
	attack     = "attack"
)

// verdict decides.
func (v value) verdict(threshold float64) mlids.Verdict {
	d := mlids.Verdict{Class: v.class, Probability: math.NaN(), Threshold: threshold}
	switch {
	case v.kind == kindBit:
		d.Class = nameOf(v.attack == 1)
	case v.kind == kindFraction:
		d.Class, d.Probability = nameOf(v.attack >= threshold), v.attack
		if d.Class == benign {
			d.Probability = 1 - v.attack
		}
	case v.total && v.attack < threshold:
		d.Class, d.Probability = benign, 1-v.attack
	case v.kind == kindScored:
		d.Probability = v.p
	}
	d.Attack = d.Class != benign
	return d
}

func nameOf(isAttack bool) string {
	if isAttack {
		return attack
	}
	return benign
}

// readValue reads what is said of one row.
func readValue(d *jsontext.Decoder, depth int) (value, error) {
	if depth > maxNesting {
		return value{}, fmt.Errorf("%w: nested too deep", errAnswer)
	}
	switch d.PeekKind() {
	case '[':
		return readArray(d, depth)
	case '{':
		return readObject(d, depth)
	}
	token, err := d.ReadToken()
	if err != nil {
		return value{}, broken(err)
	}
	switch token.Kind() {
	case '0':
		return fromNumber(token.String())
	case '"':
		return fromText(token.String())
	case 't', 'f':
		return value{kind: kindBit, attack: map[bool]float64{true: 1}[token.Bool()]}, nil
	}
	return value{}, fmt.Errorf("%w: %s; want a label or a probability", errAnswer, token.String())
}

// readArray reads an array of one value, or of the probabilities of all classes, benign first.
func readArray(d *jsontext.Decoder, depth int) (value, error) {
	if _, err := d.ReadToken(); err != nil {
		return value{}, broken(err)
	}
	first, err := readValue(d, depth+1)
	if err != nil {
		return value{}, err
	}
	if d.PeekKind() == ']' {
		_, err := d.ReadToken()
		return first, broken(err)
	}
	shares := []float64{first.attack}
	known := first.kind <= kindFraction
	for d.PeekKind() != ']' {
		v, err := readValue(d, maxNesting)
		if err != nil {
			return value{}, err
		}
		shares = append(shares, v.attack)
		if known = known && v.kind <= kindFraction; !known || len(shares) > maxClasses {
			return value{}, fmt.Errorf("%w: an array that is no list of probabilities", errAnswer)
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return value{}, broken(err)
	}
	return fromShares(shares)
}

// fromShares takes the probabilities of all classes.
func fromShares(shares []float64) (value, error) {
	sum := 0.0
	for _, p := range shares {
		sum += p
	}
	if math.Abs(sum-1) > 0.01 {
		return value{}, fmt.Errorf("%w: probabilities of classes that sum to %.4g", errAnswer, sum)
	}
	v := value{kind: kindScored, total: true, attack: min(1, max(0, 1-shares[0])), class: attack, p: shares[1]}
	if len(shares) > 2 {
		best := 1 + slices.Index(shares[1:], slices.Max(shares[1:]))
		v.class, v.p = strconv.Itoa(best), shares[best]
	}
	return v, nil
}

// fromFields takes the probabilities of all classes from a line of CSV.
func fromFields(fields [][]byte) (value, error) {
	if len(fields) > maxClasses {
		return value{}, fmt.Errorf("%w: more than %d fields", errAnswer, maxClasses)
	}
	shares := make([]float64, len(fields))
	for i, f := range fields {
		v, err := fromNumber(string(bytes.Trim(f, " \t\"")))
		if err != nil || v.kind > kindFraction {
			return value{}, fmt.Errorf("%w: field %d is no probability", errAnswer, i+1)
		}
		shares[i] = v.attack
	}
	return fromShares(shares)
}

// members are the names under which containers give labels and scores, the most telling first.
type members struct{ class, label, share, score *value }

func (m *members) of(name string) **value {
	switch strings.ToLower(name) {
	case "class", "predicted_class":
		return &m.class
	case "predicted_label", "label", "prediction", "predictions":
		return &m.label
	case "probability", "confidence": // of the class decided for
		return &m.share
	case "score", "scores", "probabilities": // of an attack, or of all classes
		return &m.score
	}
	return nil
}

// readObject reads {"predicted_label": …, "score": …} as built-in algorithms write it, mlids' own objects, and objects of a
// single member.
func readObject(d *jsontext.Decoder, depth int) (value, error) {
	if _, err := d.ReadToken(); err != nil {
		return value{}, broken(err)
	}
	var m members
	var only *value
	n := 0
	for ; d.PeekKind() != '}'; n++ {
		name, err := d.ReadToken()
		if err != nil {
			return value{}, broken(err)
		}
		place := m.of(name.String())
		if place == nil && n > 0 {
			if err := d.SkipValue(); err != nil {
				return value{}, broken(err)
			}
			continue
		}
		text, err := d.ReadValue()
		if err != nil {
			return value{}, broken(err)
		}
		if text.Kind() == 'n' && place != nil {
			continue // what the container does not know
		}
		v, err := readValue(jsontext.NewDecoder(bytes.NewBuffer(bytes.Clone(text))), depth+1)
		switch {
		case err == nil && place != nil:
			*place = &v
		case err == nil:
			only = &v
		case place != nil:
			return value{}, err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return value{}, broken(err)
	}
	if n == 1 && only != nil {
		return *only, nil
	}
	return m.value()
}

// value joins what an object says.
func (m *members) value() (value, error) {
	v := m.label
	switch {
	case v == nil && m.class != nil:
		v = m.class
	case v == nil && m.score != nil && m.score.kind != kindLabel:
		return *m.score, nil
	case v == nil:
		return value{}, fmt.Errorf("%w: an object without a label or a score", errAnswer)
	}
	joined := value{kind: kindLabel, class: v.class}
	switch v.kind {
	case kindBit:
		joined.class = nameOf(v.attack == 1)
	case kindFraction:
		return *v, nil
	}
	if m.class != nil && m.class.kind == kindLabel && (m.class.class == benign) == (joined.class == benign) {
		joined.class = m.class.class
	}
	switch {
	case m.share != nil && m.share.kind <= kindFraction:
		joined.kind, joined.p = kindScored, m.share.attack
	case m.score != nil && m.score.kind <= kindFraction:
		joined.kind, joined.p = kindScored, m.score.attack
		if joined.class == benign {
			joined.p = 1 - m.score.attack
		}
	case m.score != nil && m.score.kind == kindScored:
		joined.kind, joined.p = kindScored, m.score.p
		if joined.class == benign {
			joined.p = 1 - m.score.attack
		}
	}
	return joined, nil
}

// fromNumber takes 0, 1, a probability, or the number of a class.
func fromNumber(text string) (value, error) {
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
	case v == 0 || v == 1:
		return value{kind: kindBit, attack: math.Abs(v)}, nil
	case v > 0 && v < 1:
		return value{kind: kindFraction, attack: v}, nil
	case v > 1 && v < maxClasses && v == math.Trunc(v):
		return value{kind: kindLabel, class: strconv.Itoa(int(v))}, nil
	}
	return value{}, fmt.Errorf("%w: %s; want a probability, or the number of a class", errAnswer, glimpse(text))
}

// fromText takes a label.
func fromText(text string) (value, error) {
	label := strings.TrimSpace(text)
	if v, err := fromNumber(label); err == nil {
		return v, nil
	}
	if label == "" || len(label) > maxLabel || !utf8.ValidString(label) || strings.ContainsFunc(label, unicode.IsControl) {
		return value{}, fmt.Errorf("%w: label %s", errAnswer, glimpse(text))
	}
	switch strings.ToLower(strings.TrimSuffix(label, ".")) {
	case benign, "normal", "legitimate", "false":
		return value{kind: kindLabel, class: benign}, nil
	case attack, "true", "malicious":
		return value{kind: kindLabel, class: attack}, nil
	}
	if _, err := strconv.ParseFloat(label, 64); err == nil {
		return value{}, fmt.Errorf("%w: %s; want a probability, or the number of a class", errAnswer, glimpse(text))
	}
	return value{kind: kindLabel, class: label}, nil
}
