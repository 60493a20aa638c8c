package alert_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mlids"
	"mlids/alert"
)

var update = flag.Bool("update", false, "write the golden files anew")

func alerts() map[string]*mlids.Alert {
	start := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	scan := &mlids.Alert{
		ID: "0123456789abcdef", Verdict: mlids.Verdict{Attack: true, Class: "probe", Probability: 0.9987, Threshold: 0.5, Model: "kdd99", Version: "abcdef012345"},
		Start: start, End: start.Add(1500 * time.Millisecond), Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"),
		SrcPort: 40000, DstPort: 445, Proto: mlids.ProtoTCP, CommunityID: "1:wCb3OG7yAFWelaUydu0D+125CLM=",
		FwdPackets: 2, BwdPackets: 1, FwdBytes: 120, BwdBytes: 60,
		Top: []mlids.Contribution{{Column: "srv_count", Value: 511, Amount: 2.5}, {Column: "odd", Value: math.NaN(), Amount: 1}},
	}
	ping := &mlids.Alert{
		ID: "ping", Verdict: mlids.Verdict{Attack: true, Class: "smurf", Probability: 1, Threshold: 0.5, Model: "kdd99"},
		Start: start, Src: netip.MustParseAddr("2001:db8::1"), Dst: netip.MustParseAddr("::ffff:10.0.0.2"), SrcPort: 128 << 8, DstPort: 7, Proto: mlids.ProtoICMPv6,
		FwdPackets: 9,
	}
	row := &mlids.Alert{ID: "row", Verdict: mlids.Verdict{Attack: true, Class: "attack", Probability: 0.7, Threshold: 0.3, Model: "cicflow"}}
	benign := &mlids.Alert{
		ID: "benign", Verdict: mlids.Verdict{Class: "normal", Probability: 0.99, Threshold: 0.5, Model: "kdd99"},
		Start: start, End: start, Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.3"), Proto: 132, SrcPort: 1, DstPort: 2,
	}
	return map[string]*mlids.Alert{"scan": scan, "ping": ping, "row": row, "benign": benign}
}

func now() time.Time { return time.Date(2026, 3, 2, 0, 0, 0, 0, time.FixedZone("", 3600)) }

func TestGoldens(t *testing.T) {
	for name, a := range alerts() {
		for format, encode := range map[string]func(*mlids.Alert, time.Time) ([]byte, error){"eve": alert.EVE, "ecs": alert.ECS} {
			text, err := encode(a, now())
			if err != nil {
				t.Fatal(err)
			}
			if bytes.ContainsRune(text, '\n') {
				t.Errorf("%s %s: more than a line", name, format)
			}
			var indented bytes.Buffer
			if err := json.Indent(&indented, text, "", "  "); err != nil {
				t.Fatal(err)
			}
			indented.WriteByte('\n')
			path := filepath.Join("testdata", name+"."+format+".json")
			if *update {
				if err := os.WriteFile(path, indented.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), indented.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		}
	}
}

// What Suricata's etc/schema.json asks of an alert: these fields, of these types, and a time of this form.
func TestEVEAsSuricataHasIt(t *testing.T) {
	timestamp := regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d+[+\-]\d+$`)
	kinds := map[string]string{
		"timestamp": "string", "flow_id": "integer", "event_type": "string", "src_ip": "string", "src_port": "integer", "dest_ip": "string",
		"dest_port": "integer", "proto": "string", "icmp_type": "integer", "icmp_code": "integer", "community_id": "string",
		"alert": "object", "flow": "object",
		"alert.action": "string", "alert.gid": "integer", "alert.signature_id": "integer", "alert.rev": "integer", "alert.signature": "string",
		"alert.category": "string", "alert.severity": "integer", "alert.metadata": "object", "alert.context": "object",
		"flow.pkts_toserver": "integer", "flow.pkts_toclient": "integer", "flow.bytes_toserver": "integer", "flow.bytes_toclient": "integer",
		"flow.start": "string",
	}
	for name, a := range alerts() {
		text, err := alert.EVE(a, now())
		if err != nil {
			t.Fatal(err)
		}
		var event map[string]any
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&event); err != nil {
			t.Fatal(err)
		}
		check := func(prefix string, object map[string]any) {
			for field, v := range object {
				if got := jsonType(v); got != kinds[prefix+field] {
					t.Errorf("%s: %s%s is %s, want %q", name, prefix, field, got, kinds[prefix+field])
				}
			}
		}
		check("", event)
		check("alert.", event["alert"].(map[string]any))
		if flow, ok := event["flow"].(map[string]any); ok {
			check("flow.", flow)
		}
		if s := event["timestamp"].(string); !timestamp.MatchString(s) {
			t.Errorf("%s: timestamp %q", name, s)
		}
		if id, err := event["flow_id"].(json.Number).Int64(); err != nil || id <= 0 || id > 1<<53 {
			t.Errorf("%s: flow_id %v", name, event["flow_id"])
		}
		metadata, _ := event["alert"].(map[string]any)["metadata"].(map[string]any)
		for field, v := range metadata {
			if list, ok := v.([]any); !ok || len(list) != 1 || jsonType(list[0]) != "string" {
				t.Errorf("%s: metadata %s is %v, want a list of strings", name, field, v)
			}
		}
	}
}

func jsonType(v any) string {
	switch v := v.(type) {
	case string:
		return "string"
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return "integer"
		}
		return "number"
	case map[string]any:
		return "object"
	}
	return "other"
}

func TestFlowID(t *testing.T) {
	id := func(change func(*mlids.Alert)) any {
		a := *alerts()["scan"]
		change(&a)
		text, err := alert.EVE(&a, now())
		var e struct {
			ID uint64 `json:"flow_id"`
		}
		if err == nil {
			err = json.Unmarshal(text, &e)
		}
		if err != nil {
			t.Fatal(err)
		}
		return e.ID
	}
	same := id(func(a *mlids.Alert) { a.Verdict.Model, a.ID = "cicflow", "other" })
	if first := id(func(*mlids.Alert) {}); first != same {
		t.Error("two models' alerts of one flow have two flow ids")
	}
	if later := id(func(a *mlids.Alert) { a.Start = a.Start.Add(time.Second) }); later == same {
		t.Error("a later flow between the same ports has the same id")
	}
}

func TestJSONBack(t *testing.T) {
	for name, a := range alerts() {
		text, err := alert.Encode(a)
		if err != nil {
			t.Fatal(err)
		}
		got, err := alert.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		want := *a
		want.Dst = want.Dst.Unmap()
		want.Top = want.Top[:min(len(want.Top), 1)] // the second has no number
		if diff := cmp.Diff(&want, got, cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, a := range alerts() {
		text, err := alert.Encode(a)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"src_ip":"fe80::1%eth0","time":"yesterday"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := alert.Decode(text)
		if err != nil {
			return
		}
		again, err := alert.Encode(a)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := alert.Decode(again); err != nil && len(again) <= alert.MaxJSON {
			t.Errorf("%q became %q: %v", text, again, err)
		} else if err == nil && b.Verdict != a.Verdict {
			t.Errorf("%+v became %+v", a, b)
		}
		for _, encode := range []func(*mlids.Alert, time.Time) ([]byte, error){alert.EVE, alert.ECS} {
			if text, err := encode(a, now()); err != nil || !json.Valid(text) {
				t.Errorf("%s, %v", text, err)
			}
		}
	})
}
