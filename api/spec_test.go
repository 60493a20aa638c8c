package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"mlids/api/door"
	"mlids/feature"
)

// loadSpec parses openapi.yaml, with url for its server.
func loadSpec(tb testing.TB, url string) (*openapi3.T, routers.Router) {
	tb.Helper()
	return parseSpec(tb, OpenAPI(), url)
}

func parseSpec(tb testing.TB, text []byte, url string) (*openapi3.T, routers.Router) {
	tb.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		tb.Fatal(err)
	}
	if err := doc.Validate(tb.Context()); err != nil {
		tb.Fatalf("description: %v", err)
	}
	doc.Servers = openapi3.Servers{{URL: url}}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		tb.Fatal(err)
	}
	return doc, router
}

func TestSpecAndRoutesAgree(t *testing.T) {
	s := newServer(t, Config{}, stumps(t))
	for name, test := range map[string]struct {
		text   []byte
		routes []route
	}{"openapi.yaml": {OpenAPI(), s.frontRoutes()}, "admin.yaml": {AdminAPI(), s.adminRoutes()}} {
		doc, _ := parseSpec(t, test.text, "http://localhost")
		var described, served []string
		for path, item := range doc.Paths.Map() {
			for method := range item.Operations() {
				described = append(described, method+" "+path)
			}
		}
		for _, r := range test.routes {
			path := strings.ReplaceAll(r.path, "...}", "}")
			served = append(served, r.method+" "+path)
			if op := doc.Paths.Find(path).GetOperation(r.method); op != nil {
				wantLocks(t, name, r, op)
			}
		}
		slices.Sort(described)
		slices.Sort(served)
		if !slices.Equal(described, served) {
			t.Errorf("%s describes\n%q, the server has\n%q", name, described, served)
		}
	}
}

// wantLocks wants a description that tells what callers without a key, or of a lesser role, get.
func wantLocks(t *testing.T, name string, r route, op *openapi3.Operation) {
	t.Helper()
	if r.role == door.Nobody {
		t.Errorf("%s: %s %s names no role", name, r.method, r.path)
	}
	open := op.Security != nil && len(*op.Security) == 0
	if open != (r.role == door.Anyone) {
		t.Errorf("%s: %s %s is for %s, and its security says otherwise", name, r.method, r.path, r.role)
	}
	for _, status := range []int{401, 403, 429, 503} {
		if described := op.Responses.Status(status) != nil; !open && !described {
			t.Errorf("%s: %s %s does not describe %d", name, r.method, r.path, status)
		}
	}
}

// The columns that the description shows are those of the schemas.
func TestSpecShowsTheSchemasColumns(t *testing.T) {
	doc, _ := loadSpec(t, "http://localhost")
	catalogue, err := feature.Schemas()
	if err != nil {
		t.Fatal(err)
	}
	common, err := catalogue.Find("cicflow/common")
	if err != nil {
		t.Fatal(err)
	}
	var inputs []any
	for _, in := range common.Inputs(false) {
		inputs = append(inputs, common.Columns[in.Column].Name)
	}
	schemas := doc.Components.Schemas
	if got := schemas["ModelColumns"].Value.Properties["columns"].Value.Const; !reflect.DeepEqual(got, any(inputs)) {
		t.Errorf("ModelColumns shows\n%v, want\n%v", got, inputs)
	}
	all := schemas["AllColumns"].Value.Properties["columns"].Value.Const.([]any)
	row := schemas["RowOfAll"].Value.PrefixItems
	if len(all) != len(row) || int(*schemas["RowOfAll"].Value.MaxItems) != len(all) {
		t.Fatalf("%d columns and %d values of a row", len(all), len(row))
	}
	dialect, err := catalogue.Find("cicflow/2018")
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range all {
		if _, known := dialect.Index(name.(string)); !known {
			t.Errorf("schema %s has no column %s", dialect.ID(), name)
		}
		if number := strings.HasSuffix(row[i].Ref, "/Number"); number != slices.Contains(inputs, name) {
			t.Errorf("%s: shown as a number is %v", name, number)
		}
	}
	kdd, err := catalogue.Find("kdd99")
	if err != nil {
		t.Fatal(err)
	}
	connection := schemas["Connection"].Value
	if len(connection.Properties) != len(kdd.Columns) {
		t.Errorf("Connection has %d properties, want %d", len(connection.Properties), len(kdd.Columns))
	}
	for i, c := range kdd.Columns {
		if connection.Required[i] != c.Name || connection.Properties[c.Name] == nil {
			t.Errorf("Connection lacks %s in its place", c.Name)
		}
	}
}

// Every operation is called, with every example of its body, and both request and answer must be as described.
func TestExamplesOfTheSpec(t *testing.T) {
	url := start(t, newServer(t, Config{}, embedded(t)).Server)
	doc, router := loadSpec(t, url)
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.RequestBody == nil {
				t.Run(op.OperationID, func(t *testing.T) { exchange(t, router, method, url+path, "", nil) })
				continue
			}
			for media, content := range op.RequestBody.Value.Content {
				for _, name := range slices.Sorted(maps.Keys(content.Examples)) {
					t.Run(op.OperationID+"/"+media+"/"+name, func(t *testing.T) {
						body, err := json.Marshal(content.Examples[name].Value.Value)
						if err != nil {
							t.Fatal(err)
						}
						got := exchange(t, router, method, url+path, media, body)
						compareWithExample(t, op, name, got)
						exchange(t, router, method, url+path+"?detail=1", media, body)
					})
				}
			}
		}
	}
}

// exchange sends a request and holds it and its answer to the description. It returns the answer's body.
func exchange(t *testing.T, router routers.Router, method, url, media string, body []byte) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	route, params, err := router.FindRoute(req)
	if err != nil {
		t.Fatal(err)
	}
	input := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route, Options: &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, // while no key is set, none is wanted
	}}
	if err := openapi3filter.ValidateRequest(t.Context(), input); err != nil {
		t.Errorf("the request is not as described: %v", err)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		t.Errorf("status %d: %s", res.StatusCode, answer)
	}
	response := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: res.StatusCode, Header: res.Header, Body: io.NopCloser(bytes.NewReader(answer)),
	}
	if err := openapi3filter.ValidateResponse(t.Context(), response); err != nil {
		t.Errorf("the answer is not as described: %v", err)
	}
	return answer
}

// compareWithExample compares verdicts with the answer's example of the same name. Probabilities are the model's own.
func compareWithExample(t *testing.T, op *openapi3.Operation, name string, got []byte) {
	t.Helper()
	example := op.Responses.Status(http.StatusOK).Value.Content.Get("application/json").Examples[name]
	if example == nil {
		t.Fatalf("no example %q of an answer", name)
	}
	var answer any
	if err := json.Unmarshal(got, &answer); err != nil {
		t.Fatal(err)
	}
	if got, want := verdicts(answer), verdicts(example.Value.Value); got != want {
		t.Errorf("answer %s, the example has %s", got, want)
	}
}

func verdicts(answer any) string {
	switch a := answer.(type) {
	case []any:
		var all []string
		for _, v := range a {
			all = append(all, verdicts(v))
		}
		return fmt.Sprintf("%q", all)
	case map[string]any:
		return fmt.Sprint(a["prediction"])
	}
	return fmt.Sprint(answer)
}
