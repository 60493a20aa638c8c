// Package client asks a running mlids server: tables of flows, KDD connections, and which models it has.
//
// Requests that the server sends away because it is busy (429, 503) are tried again, later each time, until the context
// ends or the tries are used up.
package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Errors of this package, wrapped with details.
var (
	ErrURL    = errors.New("unusable URL")
	ErrAnswer = errors.New("unexpected answer") // the server is none of ours, or of another version
)

// StatusError is an answer other than 200.
type StatusError struct {
	Status    int    // HTTP status
	Message   string // what the server said was wrong
	RequestID string // names the request in the server's log
}

// Error says what the server said.
func (e *StatusError) Error() string {
	return fmt.Sprintf("server answered %d %s: %s (request %s)", e.Status, http.StatusText(e.Status), e.Message, e.RequestID)
}

// Options tune a client. Zero fields take the default given.
type Options struct {
	HTTP    *http.Client  // one that gives up on an answer after 5 minutes
	Key     string        // sent as bearer key; "": none
	Model   string        // model that Predict asks; "" for the one that the server chooses
	Tries   int           // of one request: 5
	Wait    time.Duration // before the second try, twice as long before each further one: 200 ms
	MaxWait time.Duration // between tries, also when the server wants more: 10 s
}

// answerTimeout is more than a server of ours takes: a minute for a request to come and two for its answer to go.
const answerTimeout = 5 * time.Minute

// Client asks one server. It is safe for concurrent use.
type Client struct {
	base *url.URL
	o    Options
}

// New makes a client of the server at a URL, "http://127.0.0.1:5000". It does not connect.
func New(base string, o Options) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrURL, err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%w %q: want http://HOST:PORT or https://HOST:PORT", ErrURL, base)
	}
	o.HTTP = cmp.Or(o.HTTP, &http.Client{Timeout: answerTimeout})
	o.Tries = cmp.Or(max(o.Tries, 0), 5)
	o.Wait = cmp.Or(max(o.Wait, 0), 200*time.Millisecond)
	o.MaxWait = cmp.Or(max(o.MaxWait, 0), 10*time.Second)
	return &Client{u, o}, nil
}

// Verdict is what a model says of one row.
type Verdict struct {
	Prediction  int     `json:"prediction"`  // 1 for an attack
	Class       string  `json:"class"`       // the class decided for
	Probability float64 `json:"probability"` // of Class
	Threshold   float64 `json:"threshold"`   // attack probability from which the model calls an attack
}

// Predict classifies rows of a table, as many values in each as there are columns: numbers, strings, booleans or nil. NaN
// and infinities stand for missing values. It returns one verdict per row, in order.
func (c *Client) Predict(ctx context.Context, columns []string, rows [][]any) ([]Verdict, error) {
	body, err := encodeSplit(columns, rows)
	if err != nil {
		return nil, err
	}
	query := url.Values{"detail": {"1"}}
	if c.o.Model != "" {
		query.Set("model", c.o.Model)
	}
	var verdicts []Verdict
	err = c.do(ctx, http.MethodPost, "/api/predictions", query, "application/json; format=pandas-split", body, &verdicts)
	return verdicts, wantRows(err, len(verdicts), len(rows))
}

// Judgement is what the server says of one KDD connection.
type Judgement struct {
	Prediction string  `json:"prediction"` // the class: normal, dos, probe, r2l, u2r
	Confidence float64 `json:"confidence"` // its probability
	Status     string  `json:"status"`     // "success"
}

// PredictKDD classifies connections given by the 41 names of KDD Cup 1999. It returns one judgement per connection, in order.
func (c *Client) PredictKDD(ctx context.Context, connections []map[string]any) ([]Judgement, error) {
	if connections == nil {
		connections = []map[string]any{}
	}
	body, err := json.Marshal(connections)
	if err != nil {
		return nil, fmt.Errorf("encode connections: %w", err)
	}
	var judgements []Judgement
	err = c.do(ctx, http.MethodPost, "/predict", nil, "application/json", body, &judgements)
	return judgements, wantRows(err, len(judgements), len(connections))
}

// Model is a model that the server has.
type Model struct {
	Name      string   `json:"name"`
	Version   string   `json:"version"`
	Schema    string   `json:"schema"`
	Algorithm string   `json:"algorithm"`
	Classes   []string `json:"classes"` // the first is the benign class
	Inputs    int      `json:"inputs"`
	Threshold float64  `json:"threshold"`
	Origin    string   `json:"origin"` // embedded, imported or file
	Active    bool     `json:"active"` // answers for its schema when no model is named
}

// Models lists the models that can be asked, by name.
func (c *Client) Models(ctx context.Context) ([]Model, error) {
	var models []Model
	err := c.do(ctx, http.MethodGet, "/api/models", nil, "", nil, &models)
	return models, err
}

// do sends a request, again while the server is busy, and decodes the answer.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, media string, body []byte, into any) error {
	u := c.base.JoinPath(path)
	u.RawQuery = query.Encode()
	for try := 1; ; try++ {
		req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrURL, err)
		}
		if media != "" {
			req.Header.Set("Content-Type", media)
		}
		if c.o.Key != "" {
			req.Header.Set("Authorization", "Bearer "+c.o.Key)
		}
		res, err := c.o.HTTP.Do(req)
		if err != nil {
			return err
		}
		err = decode(res, into)
		if !busy(res) || try >= c.o.Tries {
			return err
		}
		if waitErr := c.wait(ctx, try, res); waitErr != nil {
			return fmt.Errorf("%w, and then %w", err, waitErr)
		}
	}
}

// maxAnswer is the largest answer that is read, in bytes.
const maxAnswer = 256 << 20

// decode reads an answer and closes it.
func decode(res *http.Response, into any) error {
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("read the answer: %w", err)
	case len(text) > maxAnswer:
		return fmt.Errorf("%w: more than %d bytes", ErrAnswer, maxAnswer)
	case res.StatusCode != http.StatusOK:
		return refused(res, text)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return nil
}

// refused makes an error of an answer other than 200.
func refused(res *http.Response, text []byte) error {
	var e struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(text, &e) != nil || e.Error == "" {
		e.Error = strings.ToValidUTF8(string(text[:min(len(text), 200)]), "?") // of a proxy in between, perhaps
	}
	return &StatusError{res.StatusCode, strings.TrimSpace(e.Error), res.Header.Get("X-Request-Id")}
}

func wantRows(err error, got, want int) error {
	if err == nil && got != want {
		return fmt.Errorf("%w: %d verdicts for %d rows", ErrAnswer, got, want)
	}
	return err
}
