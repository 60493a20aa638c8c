package notify

import "strings"

// Subjects of the stream: who subscribes to one sees only messages of that kind. The last token of predictions is the
// model's name (Token).
const (
	SubjectAttack = "mlids.predictions.attack."
	SubjectBenign = "mlids.predictions.benign."
	SubjectAction = "mlids.actions"
	SubjectReplay = "mlids.replay." // dead letters sent again, to the way out named behind it
)

// Subject is where a message is published.
func (m *Message) Subject() string {
	switch {
	case m.Kind == Action:
		return SubjectAction
	case m.Alert.Verdict.Attack:
		return SubjectAttack + Token(m.Alert.Verdict.Model)
	}
	return SubjectBenign + Token(m.Alert.Verdict.Model)
}

// Token spells a name as one token of a subject: letters, digits, - and _ stay, other bytes become %XX, and the empty name %.
func Token(name string) string {
	if name == "" {
		return "%"
	}
	return escape(name, func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
	})
}

// escape writes bytes that are not plain as %XX.
func escape(s string, plain func(byte) bool) string {
	i := 0
	for i < len(s) && plain(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		if plain(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}
