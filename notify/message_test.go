package notify

import (
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"mlids"
)

func fullMessage() *Message {
	start := time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)
	return &Message{Kind: Prediction, Body: []byte(`{"columns":["a","prediction"],"index":[0],"data":[[1,1]]}`), Alert: mlids.Alert{
		ID: "k-1", Start: start, End: start.Add(time.Second), Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("2001:db8::1"),
		SrcPort: 40000, DstPort: 80, Proto: 6, CommunityID: "1:abc=", FwdPackets: 1, BwdPackets: 2, FwdBytes: 3, BwdBytes: math.MaxUint64,
		Verdict: mlids.Verdict{Attack: true, Class: "dos, \r\n%41 naïve", Probability: 0.1, Threshold: 0.7, Model: "my model.*>", Version: "v"},
		Top:     []mlids.Contribution{{Column: "a", Value: 1, Amount: 0.5}},
	}}
}

func TestHeadersReadBack(t *testing.T) {
	for _, m := range []*Message{
		fullMessage(),
		{Kind: Action, Alert: mlids.Alert{ID: "x"}, Body: []byte(`{}`)},
	} {
		header := m.Header()
		for name, values := range header {
			if strings.ContainsAny(values[0], "\r\n") {
				t.Errorf("%s holds a line end: %q", name, values[0])
			}
		}
		back, err := Decode(header, m.Body)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, m) {
			t.Errorf("got  %+v\nwant %+v", back, m)
		}
	}
}

// Whatever a model or a client makes of a message, it is one: what cannot be read back would not be sent.
func TestOddMessagesReadBack(t *testing.T) {
	for name, change := range map[string]func(a *mlids.Alert){
		"infinite":      func(a *mlids.Alert) { a.Verdict.Probability, a.Verdict.Threshold = math.Inf(1), math.Inf(-1) },
		"no number":     func(a *mlids.Alert) { a.Verdict.Probability = math.NaN() },
		"long":          func(a *mlids.Alert) { a.Verdict.Class = strings.Repeat("ü", 1000) },
		"not UTF-8":     func(a *mlids.Alert) { a.Verdict.Class, a.Verdict.Model = "a\xffb", "\xff" },
		"100 reasons":   func(a *mlids.Alert) { a.Top = make([]mlids.Contribution, 100) },
		"odd reasons":   func(a *mlids.Alert) { a.Top = []mlids.Contribution{{Column: "a", Value: math.Inf(1)}, {Column: "b"}} },
		"IPv6 and zone": func(a *mlids.Alert) { a.Src = netip.MustParseAddr("fe80::1%eth0") },
	} {
		m := fullMessage()
		change(&m.Alert)
		back, err := Decode(m.Header(), m.Body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if back.Alert.ID != m.Alert.ID || back.Subject() == "" || !back.Alert.Verdict.Attack || len(back.Alert.Top) == 0 {
			t.Errorf("%s: %+v", name, back.Alert)
		}
	}
}

func TestForeignMessages(t *testing.T) {
	for name, change := range map[string]func(h map[string][]string){
		"no kind":           func(h map[string][]string) { delete(h, HeaderKind) },
		"another kind":      func(h map[string][]string) { h[HeaderKind] = []string{"spam"} },
		"no prediction":     func(h map[string][]string) { delete(h, HeaderPrediction) },
		"no id":             func(h map[string][]string) { delete(h, HeaderID) },
		"probability":       func(h map[string][]string) { h[HeaderProbability] = []string{"high"} },
		"infinite":          func(h map[string][]string) { h[HeaderProbability] = []string{"+Inf"} },
		"port":              func(h map[string][]string) { h[HeaderDstPort] = []string{"70000"} },
		"address":           func(h map[string][]string) { h[HeaderSrc] = []string{"here"} },
		"time":              func(h map[string][]string) { h[HeaderStart] = []string{"now"} },
		"escape":            func(h map[string][]string) { h[HeaderClass] = []string{"%zz"} },
		"not UTF-8":         func(h map[string][]string) { h[HeaderClass] = []string{"%ff"} },
		"long":              func(h map[string][]string) { h[HeaderClass] = []string{strings.Repeat("x", 5000)} },
		"top":               func(h map[string][]string) { h[HeaderTop] = []string{"[1"} },
		"empty value list":  func(h map[string][]string) { h[HeaderKind] = nil },
		"many contributors": func(h map[string][]string) { h[HeaderTop] = []string{"[" + strings.Repeat("{},", 100) + "{}]"} },
	} {
		m := fullMessage()
		header := m.Header()
		change(header)
		if _, err := Decode(header, m.Body); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	m := fullMessage()
	if _, err := Decode(m.Header(), []byte("{")); !errors.Is(err, ErrMessage) {
		t.Errorf("a body that is no JSON: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	m := fullMessage()
	f.Add(HeaderClass, "dos", string(m.Body))
	f.Add(HeaderTop, `[{"column":"a"}]`, "{}")
	f.Add(HeaderStart, "2026-01-02T03:04:05+25:00", "[]")
	f.Fuzz(func(t *testing.T, name, value, body string) {
		header := fullMessage().Header()
		header[name] = []string{value}
		got, err := Decode(header, []byte(body))
		if err != nil {
			if !errors.Is(err, ErrMessage) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		back, err := Decode(got.Header(), got.Body)
		if err != nil || math.IsNaN(got.Alert.Verdict.Probability) != math.IsNaN(back.Alert.Verdict.Probability) || back.Subject() != got.Subject() {
			t.Fatalf("%+v does not read back: %v", got, err)
		}
	})
}

func TestSubjects(t *testing.T) {
	for want, m := range map[string]Message{
		"mlids.predictions.attack.kdd99":        {Kind: Prediction, Alert: mlids.Alert{Verdict: mlids.Verdict{Attack: true, Model: "kdd99"}}},
		"mlids.predictions.benign.a%2Eb%20%2A_": {Kind: Prediction, Alert: mlids.Alert{Verdict: mlids.Verdict{Model: "a.b *_"}}},
		"mlids.predictions.attack.%":            {Kind: Prediction, Alert: mlids.Alert{Verdict: mlids.Verdict{Attack: true}}},
		"mlids.actions":                         {Kind: Action, Alert: mlids.Alert{Verdict: mlids.Verdict{Attack: true}}},
	} {
		if got := m.Subject(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestBodies(t *testing.T) {
	for _, c := range []struct{ columns, row, want string }{
		{`["a", "b"]`, `[1, "x,]"]`, `{"columns":["a", "b","prediction"],"index":[0],"data":[[1, "x,]",1]]}`},
		{`[ ]`, `[ ]`, `{"columns":["prediction"],"index":[0],"data":[[1]]}`},
		{`["NaN"]`, `[NaN]`, `{"columns":["NaN","prediction"],"index":[0],"data":[[null,1]]}`},
		{`["a","b","c"]`, `[-Infinity,Infinity,"In\"NaN"]`, `{"columns":["a","b","c","prediction"],"index":[0],"data":[[null,null,"In\"NaN",1]]}`},
	} {
		got, err := AppendSplit(nil, []byte(c.columns), []byte(c.row), true)
		if err != nil || string(got) != c.want || !json.Valid(got) {
			t.Errorf("got  %s\nwant %s (%v)", got, c.want, err)
		}
	}
	for record, want := range map[string]string{
		`{"a": 1, "b:,": "x,y" }`:  `{"columns":["a","b:,","prediction"],"index":[0],"data":[[1,"x,y",0]]}`,
		`{}`:                       `{"columns":["prediction"],"index":[0],"data":[[0]]}`,
		`{"a\"":NaN,"b":"\\"}`:     `{"columns":["a\"","b","prediction"],"index":[0],"data":[[null,"\\",0]]}`,
		` {"a":1e-5,"b":[1] , "c"`: "",
		`{"a"}`:                    "",
	} {
		got, err := AppendRecord(nil, []byte(record), false)
		if want == "" && !errors.Is(err, ErrRow) {
			t.Errorf("%s: got %s, %v", record, got, err)
		}
		if want != "" && (err != nil || string(got) != want) {
			t.Errorf("%s:\ngot  %s\nwant %s (%v)", record, got, want, err)
		}
	}
}

// Whatever flat JSON a client sends, the body is JSON with one cell more than was sent.
func FuzzRecordBody(f *testing.F) {
	f.Add(`{"a":1,"b":"x"}`)
	f.Add(`{"":"\"\\",":":null}`)
	f.Fuzz(func(t *testing.T, record string) {
		got, err := AppendRecord(nil, []byte(record), true)
		var flat map[string]any
		if json.Unmarshal([]byte(record), &flat) != nil {
			return
		}
		for _, v := range flat {
			switch v.(type) {
			case map[string]any, []any:
				return // no client's record has these
			}
		}
		if flat != nil && (err != nil || !json.Valid(got)) {
			t.Fatalf("%s: %s %v", record, got, err)
		}
	})
}
