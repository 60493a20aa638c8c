package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mlids"
	"mlids/notify"
	"mlids/notify/stream"
)

// keeper is a publisher that keeps copies, or fails.
type keeper struct {
	messages []notify.Message
	bodies   []string
	calls    int
	err      error
}

func (s *keeper) Publish(_ context.Context, list []*notify.Message) error {
	s.calls++
	for _, m := range list {
		s.messages = append(s.messages, *m)
		s.bodies = append(s.bodies, string(m.Body))
	}
	return s.err
}

func publishing(t *testing.T, publish Publish) (*Server, *keeper) {
	t.Helper()
	s, kept := newServer(t, Config{Publish: publish}, stumps(t)).Server, &keeper{}
	s.deps.Publish = kept
	return s, kept
}

func TestAttacksArePublished(t *testing.T) {
	s, kept := publishing(t, PublishAttacks)
	dos := connection(t, map[string]any{"count": 500, "note": "a\"b"})
	body := document(t, []any{connection(t, nil), dos, dos})
	if status, _, text := ask(s, post("/predict", "application/json", body)); status != http.StatusOK {
		t.Fatal(text)
	}
	if len(kept.messages) != 2 {
		t.Fatalf("%d messages, want 2", len(kept.messages))
	}
	m := kept.messages[0]
	if v := m.Alert.Verdict; m.Kind != notify.Prediction || !v.Attack || v.Class != "dos" || v.Model != "kdd99" {
		t.Errorf("message %+v", m)
	}
	var row struct {
		Columns []string
		Data    [][]any
	}
	if err := json.Unmarshal([]byte(kept.bodies[0]), &row); err != nil {
		t.Fatal(err)
	}
	at := slices.Index(row.Columns, "note")
	if at < 0 || row.Data[0][at] != `a"b` || row.Columns[len(row.Columns)-1] != "prediction" || row.Data[0][len(row.Columns)-1] != 1.0 {
		t.Errorf("body %s", kept.bodies[0])
	}
	if kept.messages[1].Alert.ID == m.Alert.ID {
		t.Error("two rows have one id")
	}
}

// All columns of a split document are passed on in the client's spelling.
func TestSplitRowsArePublished(t *testing.T) {
	s, kept := publishing(t, PublishAll)
	columns, row := kddSplit(t)
	body := fmt.Sprintf(`{"index":[7,8],"columns":[%s,"extra, \"x\""],"data":[[%s, NaN ],[%s,"y"]]}`, columns, row, row)
	if status, _, text := ask(s, post("/api/predictions?model=kdd99", "application/json", body)); status != http.StatusOK {
		t.Fatal(text)
	}
	want := []string{
		fmt.Sprintf(`{"columns":[%s,"extra, \"x\"","prediction"],"index":[0],"data":[[%s, null,0]]}`, columns, row),
		fmt.Sprintf(`{"columns":[%s,"extra, \"x\"","prediction"],"index":[0],"data":[[%s,"y",0]]}`, columns, row),
	}
	if !slices.Equal(kept.bodies, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(kept.bodies, "\n"), strings.Join(want, "\n"))
	}
}

// An attack carries its reasons when the request asks for them.
func TestReasonsArePublished(t *testing.T) {
	s, kept := publishing(t, PublishAttacks)
	columns, row := kddSplit(t)
	body := fmt.Sprintf(`{"columns":[%s],"data":[[%s]]}`, strings.Replace(columns, `"count"`, `"other"`, 1)+`,"count"`, row+",500")
	for query, want := range map[string]bool{"": false, "&detail=1&explain=2": true} {
		kept.messages = nil
		if status, _, text := ask(s, post("/api/predictions?model=kdd99"+query, "application/json", body)); status != http.StatusOK {
			t.Fatal(text)
		}
		if len(kept.messages) != 1 {
			t.Fatalf("%d messages, want 1", len(kept.messages))
		}
		if top := kept.messages[0].Alert.Top; (len(top) > 0) != want || len(top) > 2 {
			t.Errorf("query %q: reasons %+v", query, top)
		}
	}
}

// kddSplit are the columns and the values of a connection, without brackets.
func kddSplit(t *testing.T) (columns, row string) {
	t.Helper()
	var names, cells []string
	text, err := json.Marshal(connection(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	var record map[string]json.RawMessage
	if err := json.Unmarshal(text, &record); err != nil {
		t.Fatal(err)
	}
	for name, cell := range record {
		names, cells = append(names, `"`+name+`"`), append(cells, string(cell))
	}
	return strings.Join(names, ","), strings.Join(cells, ",")
}

// A request whose messages are not stored is not answered as if they were; one without attacks does not need the queue.
func TestQueueThatDoesNotStore(t *testing.T) {
	for want, err := range map[int]error{
		http.StatusServiceUnavailable: stream.ErrFull, http.StatusRequestEntityTooLarge: stream.ErrSize,
	} {
		s, kept := publishing(t, "")
		kept.err = fmt.Errorf("wrapped: %w", err)
		status, header, text := ask(s, post("/predict", "application/json", document(t, connection(t, map[string]any{"count": 500}))))
		if status != want || !strings.Contains(text, err.Error()) || strings.Contains(text, "confidence") {
			t.Errorf("%v: %d %s", err, status, text)
		}
		if want == http.StatusServiceUnavailable && header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		if status, _, text := ask(s, post("/predict", "application/json", document(t, connection(t, nil)))); status != http.StatusOK {
			t.Errorf("a benign row: %d %s", status, text)
		}
	}
}

func TestIdempotencyKey(t *testing.T) {
	s, kept := publishing(t, "")
	send := func(key string, count int) (int, string) {
		r := post("/predict", "application/json", document(t, connection(t, map[string]any{"count": count})))
		r.Header.Set("Idempotency-Key", key)
		status, _, text := ask(s, r)
		return status, text
	}
	for _, try := range []struct {
		key   string
		count int
	}{{"k", 500}, {`"k"`, 500}, {"k", 501}, {"l", 500}, {"", 500}, {"", 500}} {
		if status, text := send(try.key, try.count); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
	}
	ids := map[string]int{}
	for _, m := range kept.messages {
		ids[m.Alert.ID]++
	}
	if len(ids) != 5 || ids[kept.messages[0].Alert.ID] != 2 {
		t.Errorf("ids %v", ids)
	}
	for _, key := range []string{"a b", "é", strings.Repeat("x", 129)} {
		if status, _ := send(key, 500); status != http.StatusBadRequest {
			t.Errorf("key %.20q: %d", key, status)
		}
	}
}

// A large request is stored in parts, so that its messages need no more memory than a part.
func TestManyRowsInParts(t *testing.T) {
	s, kept := publishing(t, PublishAll)
	rows := make([]any, 2*publishBatch+1)
	for i := range rows {
		rows[i] = connection(t, nil)
	}
	if status, _, text := ask(s, post("/predict", "application/json", document(t, rows))); status != http.StatusOK {
		t.Fatal(text)
	}
	if kept.calls != 3 || len(kept.messages) != len(rows) {
		t.Errorf("%d messages in %d parts", len(kept.messages), kept.calls)
	}
	s.cfg.Publish, kept.calls = PublishNone, 0
	ask(s, post("/predict", "application/json", document(t, rows[:1])))
	kept.err = errors.New("away")
	if kept.calls != 0 {
		t.Error("published although nothing shall be")
	}
}

// What a row tells of addresses, ports and counters is in the alert; what it spells wrongly is not.
func TestFactsOfRows(t *testing.T) {
	s := newServer(t, Config{}, stumps(t)).Server
	schema, err := s.catalogue.Find("cicflow/common")
	if err != nil {
		t.Fatal(err)
	}
	var f facts
	for _, c := range []struct {
		columns, row string
		want         mlids.Alert
	}{
		{`["Dst Port","x","Src IP","Dst IP","Tot Fwd Pkts","TotLen Bwd Pkts","Protocol"]`, `[443, "a,\"b", "10.0.0.1","2001:db8::1", 3.0 ,7,6]`, mlids.Alert{
			DstPort: 443, Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("2001:db8::1"), FwdPackets: 3, BwdBytes: 7, Proto: 6,
		}},
		{`["Src IP","dst_port"]`, `["here",-1]`, mlids.Alert{}},
		{`["src_port","dst_port","protocol"]`, `[65536,70000,300]`, mlids.Alert{}},
		{`["x"]`, `[1]`, mlids.Alert{}},
		{`["x"]`, `[]`, mlids.Alert{}},
	} {
		for range 2 { // the second time from what was kept
			f.prepare(schema, []byte(c.columns))
			var got mlids.Alert
			f.read(&got, []byte(c.row))
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s %s:\ngot  %+v\nwant %+v", c.columns, c.row, got, c.want)
			}
		}
	}
}
