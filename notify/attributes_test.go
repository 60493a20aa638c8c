package notify_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mlids"
	"mlids/notify"
)

func attack() *notify.Message {
	at := time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)
	return &notify.Message{
		Kind: notify.Prediction,
		Alert: mlids.Alert{
			ID: "a1", Verdict: mlids.Verdict{Attack: true, Class: "dos", Probability: 0.75, Threshold: 0.5, Model: "m", Version: "v"},
			Start: at, End: at, Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"), SrcPort: 1, DstPort: 2, Proto: 6,
			CommunityID: "1:x", FwdPackets: 3, Top: []mlids.Contribution{{Column: "c", Value: 1, Amount: 2}},
		},
		Body: []byte(`{"columns":["x","prediction"],"data":[[1.5,1]]}`),
	}
}

func TestAttributesBack(t *testing.T) {
	recorded := &notify.Message{Kind: notify.Prediction, Alert: mlids.Alert{ID: "r", Verdict: mlids.Verdict{Class: "benign", Model: "m"}}, Body: []byte("{}")}
	action := &notify.Message{Kind: notify.Action, Alert: mlids.Alert{ID: "b", Src: netip.MustParseAddr("10.0.0.9")}, Body: []byte(`{"block":1}`)}
	for _, m := range []*notify.Message{attack(), recorded, action} {
		list, err := notify.Attributes(m)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) > 10 {
			t.Errorf("%d attributes; SNS hands on 10", len(list))
		}
		values := map[string]string{}
		for _, a := range list {
			if a.Value == "" || a.Number != (a.Name == "probability") {
				t.Errorf("%+v", a)
			}
			values[a.Name] = a.Value
		}
		if m.Kind == notify.Action && values["prediction"] != "" {
			t.Error("a filter on predictions lets an action through")
		}
		got, err := notify.Parse(func(name string) string { return values[name] }, m.Body)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// What ML-IDS sent: one attribute, and the row with its prediction. And not even that.
func TestParseForeign(t *testing.T) {
	body := attack().Body
	for _, attribute := range []string{"attack", ""} {
		m, err := notify.Parse(func(name string) string { return map[string]string{"prediction": attribute}[name] }, body)
		if err != nil || !m.Alert.Verdict.Attack || m.Alert.Verdict.Class != "attack" {
			t.Errorf("%q: %+v, %v", attribute, m, err)
		}
	}
	if _, err := notify.Parse(func(string) string { return "{" }, nil); err == nil {
		t.Error("an alert that is none was read")
	}
	for _, body := range []string{"", "[]", `{"columns":["a"],"data":[]}`, `{"columns":["a"],"data":[[1,2]]}`} {
		if _, err := notify.ParseRow([]byte(body)); err == nil {
			t.Errorf("%s was read as a row", body)
		}
	}
}

func TestFormats(t *testing.T) {
	now := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	action := &notify.Message{Kind: notify.Action, Alert: mlids.Alert{ID: "b"}, Body: []byte(`{"block":"x"}`)}
	for _, test := range []struct {
		format notify.Format
		m      *notify.Message
		want   string
	}{
		{notify.FormatRow, attack(), `"row":{"columns":["x","prediction"],"data":[[1.5,1]]}`},
		{notify.FormatEVE, attack(), `"event_type":"alert"`},
		{notify.FormatECS, attack(), `"@timestamp":"2026-03-01T12:00:00.000000005Z"`},
		{notify.FormatRow, action, `{"kind":"action"`},
		{notify.FormatEVE, action, `{"timestamp":"2026-03-02T00:00:00.000000+0000","event_type":"mlids_action","mlids_action":{"block":"x"}}`},
		{notify.FormatECS, action, `"mlids":{"action":{"block":"x"}}`},
	} {
		text, err := test.format.Append([]byte("> "), test.m, now)
		if err != nil || !strings.HasPrefix(string(text), "> {") || !strings.Contains(string(text), test.want) || !json.Valid(text[2:]) {
			t.Errorf("%s %s: %s, %v", test.format, test.m.Kind, text, err)
		}
	}
	if _, err := notify.Format("xml").Append(nil, attack(), now); err == nil {
		t.Error("an unknown format was written")
	}
	if _, err := notify.FormatRow.Append(nil, &notify.Message{Body: []byte("{")}, now); err == nil {
		t.Error("a body that is no JSON was written")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("attack", `{"id":"x"}`, []byte(`{"columns":["prediction"],"data":[[1]]}`))
	f.Add("", "", []byte(`{"columns":["prediction"],"data":[["x"]]}`))
	f.Fuzz(func(t *testing.T, prediction, alert string, body []byte) {
		m, err := notify.Parse(func(name string) string {
			return map[string]string{notify.AttrPrediction: prediction, notify.AttrAlert: alert}[name]
		}, body)
		if (m == nil) != (err != nil) {
			t.Errorf("%v, %v", m, err)
		}
	})
}
