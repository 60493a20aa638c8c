package syslog

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mlids/alert"
	"mlids/notify"
)

// enterprise is the private enterprise number behind our names: 32473, which RFC 5612 keeps for examples, as we have none.
const enterprise = "@32473"

// encode writes a message as RFC 5424 has it.
func encode(cfg *Config, m *notify.Message, now time.Time) ([]byte, error) {
	at := m.Alert.Start
	if at.IsZero() {
		at = now
	}
	priority := 8*cfg.Facility + severity(m)
	b := fmt.Appendf(nil, "<%d>1 %s %s mlids - %s ", priority, at.UTC().Format("2006-01-02T15:04:05.000000Z"), field(cfg.Hostname, 255), field(string(m.Kind), 32))
	b, err := structured(b, m)
	if err != nil {
		return nil, err
	}
	if len(b) > cfg.MaxSize {
		return nil, fmt.Errorf("structured data alone has %d bytes, the receiver takes %d", len(b), cfg.MaxSize)
	}
	text, err := body(cfg, m, now)
	if err != nil {
		return nil, err
	}
	return cut(append(append(b, " \xef\xbb\xbf"...), text...), cfg.MaxSize), nil // the mark says that UTF-8 follows
}

// severity is that of section 6.2.1: alerts are 1 alert, 4 warning or 5 notice, the rest is 6.
func severity(m *notify.Message) int {
	if m.Kind != notify.Prediction || !m.Alert.Verdict.Attack {
		return 6
	}
	return map[int]int{1: 1, 2: 4, 3: 5}[alert.Severity(m.Alert.Verdict)]
}

// field is a header field: printable ASCII without blanks, "-" for nothing.
func field(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), most)]
}

// structured writes the attributes of a message; the whole alert is left to the formats eve and ecs.
func structured(b []byte, m *notify.Message) ([]byte, error) {
	list, err := notify.Attributes(m)
	if err != nil {
		return nil, err
	}
	b = append(b, "[mlids"+enterprise...)
	for _, a := range list {
		if a.Name != notify.AttrAlert {
			b = param(b, a.Name, a.Value)
		}
	}
	if m.Alert.Dst.IsValid() {
		b = param(b, "dst", m.Alert.Dst.Unmap().WithZone("").String())
		b = param(b, "src_port", strconv.Itoa(int(m.Alert.SrcPort)))
		b = param(b, "dst_port", strconv.Itoa(int(m.Alert.DstPort)))
		b = param(b, "proto", strconv.Itoa(int(m.Alert.Proto)))
	}
	if t, ok := alert.TechniqueOf(m.Alert.Verdict.Class); ok {
		b = param(b, "technique", t.ID)
	}
	return append(b, ']'), nil
}

// param escapes what section 6.3.3 names.
func param(b []byte, name, value string) []byte {
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, '=', '"')
	b = append(b, strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`).Replace(plain(value))...)
	return append(b, '"')
}

func body(cfg *Config, m *notify.Message, now time.Time) (string, error) {
	if cfg.Format != "text" {
		text, err := notify.Format(cfg.Format).Append(nil, m, now)
		return string(text), err
	}
	if m.Kind == notify.Action {
		return plain(string(m.Body)), nil
	}
	a := &m.Alert
	s := fmt.Sprintf("%s, probability %.4f (model %s)", a.Verdict.Class, a.Verdict.Probability, a.Verdict.Model)
	if a.Src.IsValid() && a.Dst.IsValid() {
		s += " from " + alert.Endpoint(a.Src, a.SrcPort, a.Proto) + " to " + alert.Endpoint(a.Dst, a.DstPort, a.Proto)
	}
	if why := alert.Reason(a, 3); why != "" {
		s += ": " + why
	}
	return plain(s), nil
}

// plain keeps control characters out of logs.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// cut shortens to a number of bytes, between characters.
func cut(b []byte, most int) []byte {
	if len(b) <= most {
		return b
	}
	for most > 0 && !utf8.RuneStart(b[most]) {
		most--
	}
	return b[:most]
}
