package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"mlids/feature"
	"mlids/internal/testdata"
	"mlids/model/registry"
)

// flow is a row of the columns that the test's model wants, all 1 but those given.
func flow(tb testing.TB, values map[string]any) (names []string, row []any) {
	tb.Helper()
	catalogue, err := feature.Schemas()
	if err != nil {
		tb.Fatal(err)
	}
	schema, err := catalogue.Find("cicflow/common")
	if err != nil {
		tb.Fatal(err)
	}
	known := maps.Clone(values)
	for _, in := range schema.Inputs(false) {
		name := schema.Columns[in.Column].Name
		names = append(names, name)
		if v, ok := known[name]; ok {
			row = append(row, v)
			delete(known, name)
		} else {
			row = append(row, 1)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		names, row = append(names, name), append(row, known[name])
	}
	return names, row
}

// split is a document of such rows.
func split(tb testing.TB, rows ...map[string]any) string {
	tb.Helper()
	names, _ := flow(tb, rows[0])
	data := make([][]any, len(rows))
	for i, r := range rows {
		_, data[i] = flow(tb, r)
	}
	return document(tb, map[string]any{"columns": names, "data": data})
}

func document(tb testing.TB, v any) string {
	tb.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

func packets(n any) map[string]any { return map[string]any{"tot_fwd_pkts": n} }

func TestPredictions(t *testing.T) {
	s := newServer(t, Config{}, stumps(t)).Server
	two := split(t, packets(5), packets(5000))
	names, row := flow(t, packets(5000))
	backwards := slices.Clone(names)
	slices.Reverse(backwards)
	reversed := slices.Clone(row)
	slices.Reverse(reversed)
	tests := map[string]struct{ path, media, body, want string }{
		"pandas":           {media: mediaSplit, body: two, want: "[0,1]"},
		"plain JSON":       {media: mediaJSON, body: two, want: "[0,1]"},
		"case":             {media: "Application/JSON; Format=Pandas-Split", body: two, want: "[0,1]"},
		"spaces":           {media: "application/json ;  format = pandas-split", body: two, want: "[0,1]"},
		"no space":         {media: "application/json;format=pandas-split", body: two, want: "[0,1]"},
		"quotes":           {media: `application/json; format="pandas-split"`, body: two, want: "[0,1]"},
		"charset first":    {media: "application/json; charset=utf-8; format=pandas-split", body: two, want: "[0,1]"},
		"charset last":     {media: "application/json; format=pandas-split; charset=UTF-8", body: two, want: "[0,1]"},
		"only charset":     {media: "application/json; charset=utf-8", body: two, want: "[0,1]"},
		"semicolon":        {media: "application/json; format=pandas-split;", body: two, want: "[0,1]"},
		"named model":      {path: "?model=cicflow", body: two, want: "[0,1]"},
		"no detail":        {path: "?detail=0", body: two, want: "[0,1]"},
		"unknown question": {path: "?colour=red", body: two, want: "[0,1]"},
		"detail": {path: "?detail=1&model=cicflow", body: two, want: `[{"prediction":0,"class":"benign","probability":0.99,"threshold":0.5},` +
			`{"prediction":1,"class":"attack","probability":0.99,"threshold":0.5}]`},
		"no rows":             {body: `{"columns":["tot_fwd_pkts"],"data":[]}`, want: "[]"},
		"no rows, no columns": {body: `{"columns":[],"data":[]}`, want: "[]"},
		"no rows, detail":     {path: "?detail=1", body: `{"columns":[],"data":[]}`, want: "[]"},
		"other order":         {body: document(t, map[string]any{"columns": backwards, "data": [][]any{reversed}}), want: "[1]"},
		"index":               {body: document(t, map[string]any{"columns": names, "index": []int{7}, "data": [][]any{row}}), want: "[1]"},
		"MLflow":              {body: document(t, map[string]any{"dataframe_split": map[string]any{"columns": names, "data": [][]any{row}}}), want: "[1]"},
		"data before columns": {body: `{"data":` + document(t, [][]any{row}) + `,"columns":` + document(t, names) + `}`, want: "[1]"},
		"more columns":        {body: split(t, map[string]any{"tot_fwd_pkts": 5000, "label": "DoS", "colour": "red"}), want: "[1]"},
		"spelling of 2018":    {body: strings.ReplaceAll(two, "tot_fwd_pkts", "Tot Fwd Pkts"), want: "[0,1]"},
		"spelling of 2017":    {body: strings.ReplaceAll(two, "tot_fwd_pkts", " Total Fwd Packets"), want: "[0,1]"},
		"number as text":      {body: split(t, packets("5000")), want: "[1]"},
		"infinite":            {body: split(t, packets("Infinity")), want: "[0]"}, // as if it were missing
		"beyond float32":      {body: strings.Replace(split(t, packets(123456)), "123456", "1e300", 1), want: "[1]"},
		"missing value":       {body: split(t, packets(nil)), want: "[0]"},
		"byte order mark":     {body: "\uFEFF" + two, want: "[0,1]"},
		"white space":         {body: " \n" + two + "\r\n\t ", want: "[0,1]"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.media == "" {
				test.media = mediaJSON
			}
			status, header, got := ask(s, post("/api/predictions"+test.path, test.media, test.body))
			if status != http.StatusOK || strings.TrimSpace(got) != test.want {
				t.Errorf("%d %s, want %s", status, got, test.want)
			}
			if media := header.Get("Content-Type"); media != "application/json" {
				t.Errorf("Content-Type %q", media)
			}
		})
	}
}

func TestPredictionsRefuses(t *testing.T) {
	s := newServer(t, Config{MaxRows: 2, MaxBody: 10_000}, stumps(t)).Server
	good := split(t, packets(1))
	names, row := flow(t, packets(5))
	without := document(t, map[string]any{"columns": names[1:], "data": [][]any{row[1:]}})
	tests := map[string]struct {
		path, media, body string
		status            int
		message           string // parts of it, separated by |
	}{
		"no body":             {media: mediaSplit, status: 400, message: "no text"},
		"no body, no type":    {media: "-", status: 400, message: "no body"},
		"no type":             {media: "-", body: good, status: 415, message: "no Content-Type"},
		"CSV":                 {media: "text/csv", body: "a,b", status: 415, message: `"text/csv" is not supported; want application/json`},
		"form":                {media: "application/x-www-form-urlencoded", body: "a=b", status: 415, message: "want application/json"},
		"other format":        {media: "application/json; format=pandas-records", body: good, status: 415, message: "pandas-records"},
		"empty format":        {media: `application/json; format=""`, body: good, status: 415, message: "want application/json"},
		"broken type":         {media: "application/json; format", body: good, status: 415, message: "Content-Type"},
		"type twice":          {media: "application/json; format=pandas-split; format=csv", body: good, status: 415, message: "Content-Type"},
		"not JSON":            {body: "hello", status: 400, message: "malformed input"},
		"array":               {body: "[]", status: 400, message: "malformed input"},
		"null":                {body: "null", status: 400, message: "malformed input"},
		"cut off":             {body: good[:len(good)-5], status: 400, message: "unexpected end"},
		"text behind":         {body: good + "x", status: 400, message: "behind the end"},
		"no columns":          {body: `{"data":[[1]]}`, status: 400, message: `no "columns"`},
		"no data":             {body: `{"columns":["a"]}`, status: 400, message: `no "data"`},
		"columns no array":    {body: `{"columns":"a","data":[]}`, status: 400, message: "want ["},
		"column no text":      {body: `{"columns":[1],"data":[]}`, status: 400, message: "columns[0]"},
		"data no array":       {body: `{"columns":[],"data":{}}`, status: 400, message: "want ["},
		"row no array":        {body: strings.Replace(good, "[[", "[{},[", 1), status: 400, message: "row 1"},
		"row too short":       {body: strings.Replace(good, "[[1,", "[[", 1), status: 400, message: "row 1|45 values; want 46"},
		"row too long":        {body: strings.Replace(good, "[[1,", "[[1,1,", 1), status: 400, message: "row 1|more than 46 values"},
		"missing column":      {body: without, status: 400, message: "missing column flow_duration"},
		"column twice":        {body: split(t, map[string]any{"tot_fwd_pkts": 1, "Tot Fwd Pkts": 2}), status: 400, message: "tot_fwd_pkts"},
		"text for a number":   {body: split(t, packets(1), packets("many")), status: 400, message: `row 2|column tot_fwd_pkts|"many" is not a number`},
		"array for a number":  {body: split(t, packets([]int{1})), status: 400, message: "row 1|tot_fwd_pkts|nested"},
		"object for a number": {body: split(t, packets(map[string]any{})), status: 400, message: "row 1|tot_fwd_pkts|nested"},
		"wrong index":         {body: document(t, map[string]any{"columns": names, "index": []int{1, 2}, "data": [][]any{row}}), status: 400, message: "index"},
		"unknown name":        {body: `{"columns":[],"data":[],"rows":[]}`, status: 400, message: "rows"},
		"key twice":           {body: `{"columns":[],"columns":[],"data":[]}`, status: 400, message: "twice"},
		"not UTF-8":           {body: "{\"columns\":[\"\xff\"],\"data\":[]}", status: 400, message: "UTF-8"},
		"nested deep":         {body: `{"columns":[],"index":` + strings.Repeat("[", 2000), status: 400, message: "nested"},
		"unknown model":       {path: "?model=nope", body: good, status: 404, message: `unknown model "nope"|cicflow, kdd99`},
		"empty model":         {path: "?model=", body: good, status: 404, message: "unknown model"},
		"model twice":         {path: "?model=a&model=b", body: good, status: 400, message: "model is given 2 times"},
		"model of other rows": {path: "?model=kdd99", body: good, status: 409, message: "kdd99/1"},
		"wrapped, other rows": {path: "?model=kdd99", body: `{"dataframe_split":` + good + `}`, status: 409, message: "kdd99/1"},
		"model, missing":      {path: "?model=cicflow", body: without, status: 400, message: "missing column flow_duration"},
		"detail wrong":        {path: "?detail=yes", body: good, status: 400, message: `detail is "yes"; want 0 or 1`},
		"detail twice":        {path: "?detail=1&detail=1", body: good, status: 400, message: "detail is given 2 times"},
		"query broken":        {path: "?model=%zz", body: good, status: 400, message: "query"},
		"too many rows":       {body: split(t, packets(1), packets(1), packets(1)), status: 413, message: "more than 2 rows"},
		"too many bytes":      {body: good + strings.Repeat(" ", 10_000), status: 413, message: "more than 10000 bytes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			switch test.media {
			case "":
				test.media = mediaJSON
			case "-":
				test.media = ""
			}
			r := post("/api/predictions", test.media, test.body)
			r.URL.RawQuery = strings.TrimPrefix(test.path, "?")
			status, header, got := ask(s, r)
			if status != test.status {
				t.Errorf("status %d, want %d: %s", status, test.status, got)
			}
			wantError(t, header, got, "", test.message)
		})
	}
}

// wantError checks the form of an error, and that its message has the parts wanted.
func wantError(t *testing.T, header http.Header, body, status, parts string) {
	t.Helper()
	var e struct {
		Status string `json:"status"`
		Error  string `json:"error"`
	}
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil || e.Error == "" || e.Status != status {
		t.Errorf("no error of the right form: %s", body)
	}
	if media := header.Get("Content-Type"); media != "application/json" {
		t.Errorf("Content-Type %q", media)
	}
	for part := range strings.SplitSeq(parts, "|") {
		if !strings.Contains(e.Error, part) {
			t.Errorf("message %q does not say %q", e.Error, part)
		}
	}
}

func TestCompressedBodies(t *testing.T) {
	s := newServer(t, Config{MaxBody: 100_000}, stumps(t)).Server
	good := split(t, packets(5000))
	tests := map[string]struct {
		encoding, body string
		status         int
		want           string
	}{
		"gzip":            {"gzip", gzipped(t, good), 200, "[1]"},
		"x-gzip":          {"x-GZIP", gzipped(t, good), 200, "[1]"},
		"identity":        {"identity", good, 200, "[1]"},
		"two members":     {"gzip", gzipped(t, good[:100]) + gzipped(t, good[100:]), 200, "[1]"},
		"brotli":          {"br", good, 415, `"br" is not supported; want gzip`},
		"twice":           {"gzip, gzip", good, 415, "not supported"},
		"not gzip":        {"gzip", good, 400, "cannot read the body"},
		"empty":           {"gzip", "", 400, "ends early"},
		"cut off":         {"gzip", gzipped(t, good)[:200], 400, "ends early"},
		"wrong checksum":  {"gzip", flip(gzipped(t, good)), 400, "cannot read the body"},
		"bomb":            {"gzip", gzipped(t, strings.Repeat(" ", 10<<20)), 413, "more than 100000 bytes"},
		"just the limit":  {"gzip", gzipped(t, good+strings.Repeat(" ", 100_000-len(good))), 200, "[1]"},
		"one byte beyond": {"gzip", gzipped(t, good+strings.Repeat(" ", 100_001-len(good))), 413, "more than"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := post("/api/predictions", mediaJSON, test.body)
			r.Header.Set("Content-Encoding", test.encoding)
			status, header, got := ask(s, r)
			if status != test.status || status == http.StatusOK && strings.TrimSpace(got) != test.want {
				t.Errorf("%d %s, want %d %s", status, got, test.status, test.want)
			}
			if status != http.StatusOK {
				wantError(t, header, got, "", test.want)
			}
			if unsupported := status == http.StatusUnsupportedMediaType; unsupported != (header.Get("Accept-Encoding") == "gzip") {
				t.Errorf("Accept-Encoding %q", header.Get("Accept-Encoding"))
			}
		})
	}
}

func gzipped(tb testing.TB, text string) string {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// flip changes the checksum at the end of a gzip file.
func flip(file string) string {
	b := []byte(file)
	b[len(b)-8] ^= 1
	return string(b)
}

// The first row that the client of ML-IDS sends, read from the file and not from openapi.yaml, is an attack.
func TestFirstRowOfTheClient(t *testing.T) {
	path := testdata.Path(t, "cicids", "cstub_dataset_1000rows.csv.gz")
	header, rows := readCSV(t, path, 1)
	row := make([]any, len(header)-1)
	for i := range row {
		row[i] = rows[0][i]
		if header[i] != "timestamp" {
			row[i] = json.Number(rows[0][i])
		}
	}
	s := newServer(t, Config{}, embedded(t)).Server
	body := document(t, map[string]any{"columns": header[:len(row)], "data": [][]any{row}})
	if status, _, got := ask(s, post("/api/predictions", mediaSplit, body)); got != "[1]\n" {
		t.Errorf("%d %s, want [1]", status, got)
	}
}

// A model that is exchanged for another of its name answers the next request.
func TestModelsMayChange(t *testing.T) {
	r := stumps(t)
	s := newServer(t, Config{}, r).Server
	body := split(t, packets(50))
	for _, test := range []struct {
		threshold float32
		want      string
	}{{1000, "[0]\n"}, {10, "[1]\n"}} {
		if err := r.Add(registry.Imported, stump(t, "cicflow", "cicflow/common", "tot_fwd_pkts", test.threshold, "benign", "attack")); err != nil {
			t.Fatal(err)
		}
		if _, _, got := ask(s, post("/api/predictions", mediaSplit, body)); got != test.want {
			t.Errorf("threshold %v: %s, want %s", test.threshold, got, test.want)
		}
	}
	kept := 0
	s.compiled.byModel.Range(func(any, any) bool { kept++; return true })
	if kept != 1 {
		t.Errorf("%d models are kept, want 1: the one exchanged must be forgotten", kept)
	}
}
