// Package sagemakertest answers InvokeEndpoint as Amazon SageMaker's runtime does, for tests.
//
// The wire format is that of docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html. Every
// request's Signature Version 4 is computed again and must match.
package sagemakertest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Keys that sign requests.
const (
	AccessKey = "AKIDEXAMPLE"
	SecretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" //nolint:gosec // the example of the documentation of AWS
	Region    = "eu-central-1"
)

// Call is a request that was signed as it should.
type Call struct {
	ContentType, Accept string
	Columns             []string
	Data                [][]any
	Size                int             // bytes of the body
	Gone                <-chan struct{} // closed when the client has hung up
}

// Endpoint is a service with one endpoint.
type Endpoint struct {
	Name         string
	SessionToken string // wanted with the signature; "" for none
	// Answer replies to a call; n counts calls from 0. Nil answers [tot_fwd_pkts > 1000, …].
	Answer func(w http.ResponseWriter, n int, c Call)

	tb     testing.TB
	server *httptest.Server
	mu     sync.Mutex
	calls  []Call
}

// Start listens on a port of the loopback until the test ends.
func Start(tb testing.TB, e *Endpoint) *Endpoint {
	tb.Helper()
	e.tb = tb
	e.server = httptest.NewServer(http.HandlerFunc(e.serve))
	tb.Cleanup(e.server.Close)
	return e
}

// URL is where the service listens.
func (e *Endpoint) URL() string { return e.server.URL }

// Calls are those that came so far.
func (e *Endpoint) Calls() []Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]Call(nil), e.calls...)
}

func (e *Endpoint) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 6<<20))
	switch {
	case err != nil:
		Fail(w, http.StatusRequestEntityTooLarge, "ValidationError", "the payload is larger than 6 MB")
		return
	case r.Method != http.MethodPost || r.URL.Path != "/endpoints/"+e.Name+"/invocations":
		Fail(w, http.StatusBadRequest, "ValidationError", "Endpoint "+r.URL.Path+" of account 123456789012 not found.")
		return
	}
	if err := e.verify(r, body); err != nil {
		Fail(w, http.StatusForbidden, "InvalidSignatureException", err.Error())
		return
	}
	call := Call{ContentType: r.Header.Get("Content-Type"), Accept: r.Header.Get("Accept"), Size: len(body), Gone: r.Context().Done()}
	var table struct {
		Columns []string `json:"columns"`
		Data    [][]any  `json:"data"`
	}
	if err := json.Unmarshal(body, &table); err != nil {
		e.tb.Errorf("the body is no split JSON: %v", err)
	}
	call.Columns, call.Data = table.Columns, table.Data
	e.mu.Lock()
	n := len(e.calls)
	e.calls = append(e.calls, call)
	e.mu.Unlock()
	if e.Answer == nil {
		Floods(w, n, call)
		return
	}
	e.Answer(w, n, call)
}

// verify computes the signature of a request again.
func (e *Endpoint) verify(r *http.Request, body []byte) error {
	given := r.Header.Get("Authorization")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return fmt.Errorf("X-Amz-Date: %w", err)
	}
	if token := r.Header.Get("X-Amz-Security-Token"); token != e.SessionToken {
		return fmt.Errorf("session token %q", token)
	}
	_, list, found := strings.Cut(given, "SignedHeaders=")
	list, _, _ = strings.Cut(list, ",")
	if !found || !strings.Contains(list, "host") || !strings.Contains(list, "x-amz-date") {
		return fmt.Errorf("signed are %q; want host and x-amz-date at least", list)
	}
	again, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+r.Host+r.URL.RequestURI(), bytes.NewReader(body)) //nolint:gosec // only signed, never sent
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(list, ";") {
		if name != "host" && name != "content-length" {
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	sum := sha256.Sum256(body)
	keys := aws.Credentials{AccessKeyID: AccessKey, SecretAccessKey: SecretKey, SessionToken: e.SessionToken}
	if err := v4.NewSigner().SignHTTP(r.Context(), keys, again, hex.EncodeToString(sum[:]), "sagemaker", Region, at); err != nil {
		return err
	}
	if want := again.Header.Get("Authorization"); given != want {
		return fmt.Errorf("the signature is\n%s, computed again\n%s", given, want)
	}
	return nil
}

// Fail answers with an error of the service.
func Fail(w http.ResponseWriter, status int, code, message string) {
	Reply(w, status, code, fmt.Sprintf(`{"Message":%q}`, message))
}

// FailContainer answers with the failure of a container, status 424, and the status that it had itself.
func FailContainer(w http.ResponseWriter, own int, message string) {
	Reply(w, http.StatusFailedDependency, "ModelError", fmt.Sprintf(
		`{"Message":"Received client error (%d) from primary","LogStreamArn":"arn:aws:logs:eu-central-1:123456789012:x","OriginalStatusCode":%d,"OriginalMessage":%q}`,
		own, own, message))
}

// Reply answers with an error type in the header, where REST JSON has it, and a body.
func Reply(w http.ResponseWriter, status int, code, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-ErrorType", code)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) //nolint:gosec // tests choose the body
}

// Send answers with a model's verdicts.
func Send(w http.ResponseWriter, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Amzn-Invoked-Production-Variant", "AllTraffic")
	_, _ = io.WriteString(w, body)
}

// Floods is a model: 1 for rows of more than 1000 forward packets.
func Floods(w http.ResponseWriter, _ int, c Call) {
	asked := -1
	for i, name := range c.Columns {
		if name == "tot_fwd_pkts" {
			asked = i
		}
	}
	verdicts := make([]int, len(c.Data))
	for i, row := range c.Data {
		if packets, ok := row[max(asked, 0)].(float64); ok && asked >= 0 && packets > 1000 {
			verdicts[i] = 1
		}
	}
	text, err := json.Marshal(verdicts)
	if err != nil {
		Fail(w, http.StatusInternalServerError, "InternalFailure", err.Error())
		return
	}
	Send(w, "application/json", string(text))
}
