package notify

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// ErrFilter is returned for text that is no filter.
var ErrFilter = errors.New("bad filter")

// Filter chooses the messages of a way out. The zero value takes attacks only.
type Filter struct {
	Kinds          []Kind   // empty: predictions
	Attack, Benign bool     // both false: attacks
	Classes        []string // empty: all
	Models         []string // empty: all
	Probability    float64  // at least
	Src, Dst       []netip.Prefix
}

// ParseFilter reads terms divided by blanks, all of which must hold; values divided by commas are alternatives:
//
//	class=dos,ddos probability>=0.9 src=10.0.0.0/8 dst=192.0.2.1 model=kdd99 prediction=attack kind=prediction,action
//
// Without prediction= attacks are meant (all: benign ones, too), without kind= predictions.
func ParseFilter(text string) (Filter, error) {
	var f Filter
	for term := range strings.FieldsSeq(text) {
		if err := f.term(term); err != nil {
			return Filter{}, fmt.Errorf("%w: %q: %w", ErrFilter, term, err)
		}
	}
	return f, nil
}

func (f *Filter) term(term string) (err error) {
	if least, ok := strings.CutPrefix(term, "probability>="); ok {
		f.Probability, err = strconv.ParseFloat(least, 64)
		if err == nil && !(f.Probability >= 0 && f.Probability <= 1) {
			err = errors.New("want 0 to 1")
		}
		return err
	}
	name, value, ok := strings.Cut(term, "=")
	if !ok || value == "" {
		return errors.New("want name=value or probability>=P")
	}
	values := strings.Split(value, ",")
	switch name {
	case "class":
		f.Classes = append(f.Classes, values...)
	case "model":
		f.Models = append(f.Models, values...)
	case "src":
		f.Src, err = appendPrefixes(f.Src, values)
	case "dst":
		f.Dst, err = appendPrefixes(f.Dst, values)
	case "kind":
		err = f.kinds(values)
	case "prediction":
		err = f.predictions(values)
	default:
		err = errors.New("known are class, probability>=, src, dst, model, kind and prediction")
	}
	return err
}

func (f *Filter) kinds(values []string) error {
	for _, v := range values {
		switch v {
		case "all":
			f.Kinds = append(f.Kinds, Prediction, Action)
		case string(Prediction), string(Action):
			f.Kinds = append(f.Kinds, Kind(v))
		default:
			return fmt.Errorf("%q is no kind; want prediction, action or all", v)
		}
	}
	return nil
}

func (f *Filter) predictions(values []string) error {
	for _, v := range values {
		switch v {
		case "all":
			f.Attack, f.Benign = true, true
		case Attack:
			f.Attack = true
		case Benign:
			f.Benign = true
		default:
			return fmt.Errorf("%q is no prediction; want attack, benign or all", v)
		}
	}
	return nil
}

// appendPrefixes reads networks and addresses.
func appendPrefixes(to []netip.Prefix, values []string) ([]netip.Prefix, error) {
	for _, v := range values {
		p, err := netip.ParsePrefix(v)
		if err != nil {
			a, addrErr := netip.ParseAddr(v)
			if addrErr != nil {
				return nil, err
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		to = append(to, p.Masked())
	}
	return to, nil
}

// WantsBenign reports whether the filter takes predictions of benign rows.
func (f *Filter) WantsBenign() bool { return f.Benign && f.wantsKind(Prediction) }

func (f *Filter) wantsAttack() bool { return f.Attack || !f.Benign }

func (f *Filter) wantsKind(k Kind) bool {
	if len(f.Kinds) == 0 {
		return k == Prediction
	}
	return slices.Contains(f.Kinds, k)
}

// Subjects are the subjects of the stream that have all messages which the filter takes, and perhaps others.
func (f *Filter) Subjects() []string {
	var subjects []string
	if f.wantsKind(Prediction) {
		if f.wantsAttack() {
			subjects = append(subjects, f.bySubject(SubjectAttack)...)
		}
		if f.Benign {
			subjects = append(subjects, f.bySubject(SubjectBenign)...)
		}
	}
	if f.wantsKind(Action) {
		subjects = append(subjects, SubjectAction)
	}
	return subjects
}

func (f *Filter) bySubject(prefix string) []string {
	if len(f.Models) == 0 {
		return []string{prefix + "*"}
	}
	var subjects []string
	for _, model := range f.Models {
		if s := prefix + Token(model); !slices.Contains(subjects, s) {
			subjects = append(subjects, s)
		}
	}
	return subjects
}

// Match reports whether the filter takes a message. What a message does not tell, such as the addresses of a recorded row, is
// in no network.
func (f *Filter) Match(m *Message) bool {
	v := &m.Alert.Verdict
	switch {
	case !f.wantsKind(m.Kind):
		return false
	case m.Kind == Prediction && v.Attack && !f.wantsAttack(), m.Kind == Prediction && !v.Attack && !f.Benign:
		return false
	case len(f.Classes) > 0 && !slices.Contains(f.Classes, v.Class):
		return false
	case len(f.Models) > 0 && !slices.Contains(f.Models, v.Model):
		return false
	case f.Probability > 0 && !(v.Probability >= f.Probability):
		return false
	}
	return within(m.Alert.Src, f.Src) && within(m.Alert.Dst, f.Dst)
}

func within(a netip.Addr, nets []netip.Prefix) bool {
	if len(nets) == 0 {
		return true
	}
	a = a.Unmap()
	return slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(a) })
}
