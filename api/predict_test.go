package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"mlids/feature"
)

// connection is a KDD connection with some values changed; a value of nil leaves the name out.
func connection(tb testing.TB, changes map[string]any) map[string]any {
	tb.Helper()
	catalogue, err := feature.Schemas()
	if err != nil {
		tb.Fatal(err)
	}
	schema, err := catalogue.Find("kdd99")
	if err != nil {
		tb.Fatal(err)
	}
	c := map[string]any{}
	for _, column := range schema.Columns {
		c[column.Name] = 0
		if column.Kind == feature.Category {
			c[column.Name] = column.Categories[0]
		}
	}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func TestPredict(t *testing.T) {
	s := newServer(t, Config{}, stumps(t)).Server
	normal, dos := connection(t, nil), connection(t, map[string]any{"count": 500})
	const isNormal = `{"prediction":"normal","confidence":0.99,"status":"success"}`
	const isDoS = `{"prediction":"dos","confidence":0.99,"status":"success"}`
	tests := map[string]struct {
		body any
		want string
	}{
		"one":              {normal, isNormal},
		"array":            {[]any{normal, dos}, "[" + isNormal + "," + isDoS + "]"},
		"array of one":     {[]any{dos}, "[" + isDoS + "]"},
		"none":             {[]any{}, "[]"},
		"unseen category":  {connection(t, map[string]any{"service": "carrier_pigeon"}), isNormal},
		"more names":       {connection(t, map[string]any{"colour": "red", "attack": "smurf."}), isNormal},
		"number as text":   {connection(t, map[string]any{"count": "500"}), isDoS},
		"missing value":    {connection(t, map[string]any{"count": json.RawMessage("null")}), isNormal},
		"space":            {json.RawMessage("\t\r\n [ " + document(t, normal) + " ] "), "[" + isNormal + "]"},
		"different orders": {[]any{json.RawMessage(`{"extra":1,` + document(t, dos)[1:]), normal}, "[" + isDoS + "," + isNormal + "]"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			body := document(t, test.body)
			if raw, ok := test.body.(json.RawMessage); ok {
				body = string(raw)
			}
			status, header, got := ask(s, post("/predict", "application/json; charset=utf-8", body))
			if status != http.StatusOK || strings.TrimSpace(got) != test.want {
				t.Errorf("%d %s, want %s", status, got, test.want)
			}
			if media := header.Get("Content-Type"); media != "application/json" {
				t.Errorf("Content-Type %q", media)
			}
		})
	}
}

func TestPredictRefuses(t *testing.T) {
	s := newServer(t, Config{MaxRows: 2, MaxBody: 10_000}, stumps(t)).Server
	good := document(t, connection(t, nil))
	tests := map[string]struct {
		media, body string
		status      int
		message     string
	}{
		"no body":             {mediaJSON, "", 400, "no text"},
		"no body, no type":    {"", "", 400, "no body"},
		"no type":             {"", good, 415, "no Content-Type; want application/json"},
		"pandas":              {mediaSplit, good, 415, "want application/json"},
		"text":                {"text/plain", good, 415, "text/plain"},
		"not JSON":            {mediaJSON, "normal", 400, "malformed input"},
		"cut off":             {mediaJSON, good[:50], 400, "unexpected end"},
		"text behind":         {mediaJSON, good + good, 400, "behind the end"},
		"number":              {mediaJSON, "1", 400, "want an object"},
		"array of numbers":    {mediaJSON, "[1]", 400, "row 1|want an object"},
		"empty object":        {mediaJSON, "{}", 400, "row 1|duration"},
		"missing name":        {mediaJSON, document(t, connection(t, map[string]any{"flag": nil})), 400, "row 1|missing column flag"},
		"text for a number":   {mediaJSON, document(t, connection(t, map[string]any{"hot": "very"})), 400, `row 1|column hot|"very" is not a number`},
		"array for a number":  {mediaJSON, document(t, connection(t, map[string]any{"hot": []int{1}})), 400, "row 1|hot|nested"},
		"object for the flag": {mediaJSON, document(t, connection(t, map[string]any{"flag": map[string]int{}})), 400, "row 1|flag|nested"},
		"second is bad":       {mediaJSON, "[" + good + `,{"duration":1}]`, 400, "row 2"},
		"name twice":          {mediaJSON, `{"duration":1,` + good[1:], 400, "duration"},
		"too many rows":       {mediaJSON, "[" + good + "," + good + "," + good + "]", 413, "more than 2 rows"},
		"too many bytes":      {mediaJSON, good + strings.Repeat(" ", 10_000), 413, "more than 10000 bytes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			status, header, got := ask(s, post("/predict", test.media, test.body))
			if status != test.status {
				t.Errorf("status %d, want %d: %s", status, test.status, got)
			}
			wantError(t, header, got, "error", test.message)
		})
	}
}
