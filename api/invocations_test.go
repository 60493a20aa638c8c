package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// values is a row of the stump's 46 inputs in order; the second is the one that it asks.
func values(packets string) string {
	return "0," + packets + strings.Repeat(",0", 44)
}

func TestInvocations(t *testing.T) {
	s := newServer(t, Config{}, stumps(t)).Server
	table := split(t, packets(5000), packets(3))
	named := map[string]any{}
	var document struct {
		Columns []string
		Data    [][]any
	}
	if err := json.Unmarshal([]byte(table), &document); err != nil {
		t.Fatal(err)
	}
	for i, name := range document.Columns {
		named[name] = document.Data[0][i]
	}
	record, err := json.Marshal(named)
	if err != nil {
		t.Fatal(err)
	}
	rows := fmt.Sprintf("[[%s],[%s]]", values("5000"), values("3"))
	header := strings.Join(document.Columns, ",")
	line := strings.Trim(strings.ReplaceAll(fmt.Sprint(document.Data[0]), " ", ","), "[]")
	for name, test := range map[string]struct{ media, accept, body, want string }{
		"split":             {mediaSplit, "", table, "[1,0]\n"},
		"split as CSV":      {mediaSplit, "text/csv", table, "1\n0\n"},
		"any answer":        {mediaSplit, "*/*", table, "[1,0]\n"},
		"dataframe_split":   {mediaJSON, "application/json", `{"dataframe_split":` + table + `}`, `{"predictions":[1,0]}` + "\n"},
		"dataframe_records": {mediaJSON, "", `{"dataframe_records":[` + string(record) + `]}`, `{"predictions":[1]}` + "\n"},
		"records":           {mediaJSON + "; format=pandas-records", "", `[` + string(record) + `]`, "[1]\n"},
		"instances":         {mediaJSON, "", `{"instances":` + rows + `}`, `{"predictions":[1,0]}` + "\n"},
		"inputs":            {mediaJSON, "", `{"inputs":` + rows + `,"params":{}}`, `{"predictions":[1,0]}` + "\n"},
		"CSV":               {"text/csv; charset=utf-8", "", values("5000") + "\n" + values("3") + "\n", "1\n0\n"},
		"CSV to JSON":       {mediaCSV, mediaJSON, values("5000"), "[1]\n"},
		"CSV with header":   {mediaCSV, "", header + "\n" + line, "1\n"},
		"no rows":           {mediaCSV, "", header, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := post("/invocations", test.media, test.body)
			if test.accept != "" {
				r.Header.Set("Accept", test.accept)
			}
			if status, _, answer := ask(s, r); status != http.StatusOK || answer != test.want {
				t.Errorf("%d %q, want %q", status, answer, test.want)
			}
		})
	}
}

func TestInvocationsThatAreWrong(t *testing.T) {
	s := newServer(t, Config{MaxRows: 2}, stumps(t)).Server
	for name, test := range map[string]struct {
		media, attributes, body string
		status                  int
	}{
		"media":            {"application/x-npy", "", "x", 415},
		"format":           {"application/json; format=tf", "", "{}", 415},
		"nothing":          {"", "", "", 400},
		"broken JSON":      {mediaJSON, "", `{"instances":[`, 400},
		"columns of lists": {mediaJSON, "", `{"inputs":{"a":[1]}}`, 400},
		"too few fields":   {mediaCSV, "", "1,2,3", 400},
		"too many rows":    {mediaCSV, "", strings.Repeat(values("1")+"\n", 3), 413},
		"unknown model":    {mediaCSV, "model=nope", values("1"), 404},
		"wrong detail":     {mediaJSON, "detail=yes", "{}", 400},
		"detail as CSV":    {mediaCSV, "detail=1", values("1"), 400},
	} {
		r := post("/invocations", test.media, test.body)
		r.Header.Set("X-Amzn-SageMaker-Custom-Attributes", test.attributes)
		if status, header, answer := ask(s, r); status != test.status {
			t.Errorf("%s: %d %s, want %d", name, status, answer, test.status)
		} else {
			wantError(t, header, answer, "", "")
		}
	}
}

func TestAttributesAndHostedModel(t *testing.T) {
	s := newServer(t, Config{Hosted: "kdd99"}, stumps(t)).Server
	body := `{"dataframe_records":[` + document(t, connection(t, map[string]any{"count": 500})) + `]}`
	r := post("/invocations", mediaJSON, body)
	r.Header.Set("X-Amzn-SageMaker-Custom-Attributes", "trace=7; detail=1")
	if status, _, answer := ask(s, r); status != http.StatusOK || !strings.HasPrefix(answer, `{"predictions":[{"prediction":1,"class":"dos"`) {
		t.Errorf("%d %s", status, answer)
	}
	ping, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/ping", nil)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, answer := ask(s, ping); status != http.StatusOK {
		t.Errorf("ping: %d %s", status, answer)
	}
}
