package notify

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"mlids"
)

func TestFilter(t *testing.T) {
	dos := &Message{Kind: Prediction, Alert: mlids.Alert{
		Src: netip.MustParseAddr("10.1.2.3"), Dst: netip.MustParseAddr("::ffff:192.0.2.1"),
		Verdict: mlids.Verdict{Attack: true, Class: "dos", Probability: 0.9, Model: "kdd99"},
	}}
	normal := &Message{Kind: Prediction, Alert: mlids.Alert{Verdict: mlids.Verdict{Class: "normal", Probability: 1, Model: "kdd99"}}}
	block := &Message{Kind: Action, Alert: mlids.Alert{Verdict: mlids.Verdict{Attack: true, Class: "dos"}}}
	all := []*Message{dos, normal, block}
	for text, want := range map[string][]*Message{
		"":                                         {dos},
		"class=dos,probe":                          {dos},
		"class=probe":                              nil,
		"probability>=0.9":                         {dos},
		"probability>=0.95":                        nil,
		"src=10.0.0.0/8":                           {dos},
		"src=10.1.2.3 dst=192.0.2.0/24":            {dos},
		"src=192.168.0.0/16,10.1.2.3":              {dos},
		"src=11.0.0.0/8":                           nil,
		"prediction=all":                           {dos, normal},
		"prediction=benign":                        {normal},
		"prediction=benign src=10.0.0.0/8":         nil,
		"model=kdd99":                              {dos},
		"model=cicflow":                            nil,
		"kind=action":                              {block},
		"kind=all prediction=all":                  {dos, normal, block},
		"kind=prediction,action class=dos":         {dos, block},
		"  class=dos   probability>=0 model=kdd99": {dos},
	} {
		f, err := ParseFilter(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		for _, m := range all {
			if got := f.Match(m); got != slices.Contains(want, m) {
				t.Errorf("%q takes %s %s: %v", text, m.Kind, m.Alert.Verdict.Class, got)
			}
			if f.Match(m) && !covered(f.Subjects(), m.Subject()) {
				t.Errorf("%q takes %s, which none of %v has", text, m.Subject(), f.Subjects())
			}
		}
	}
}

// covered reports whether one of the subjects, of which the last token may be *, is the subject.
func covered(subjects []string, subject string) bool {
	return slices.ContainsFunc(subjects, func(s string) bool {
		n := len(s) - 1
		return s == subject || s[n] == '*' && len(subject) > n && subject[:n] == s[:n]
	})
}

func TestWrongFilters(t *testing.T) {
	for _, text := range []string{
		"class", "class=", "probability=0.9", "probability>=2", "probability>=x", "probability>=NaN", "src=here", "src=10.0.0.0/33",
		"kind=spam", "prediction=maybe", "colour=red",
	} {
		if _, err := ParseFilter(text); !errors.Is(err, ErrFilter) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
