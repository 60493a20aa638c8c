package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"mlids/notify"
)

// chaosProcess is mlids with a way out for TestChaos: messages by HTTP, a status other than 200 is a failure.
func chaosProcess() int {
	a := &app{streams: streams{os.Stdin, os.Stdout, os.Stderr}, sinks: allSinks()}
	a.sinks["chaos"] = func(_ *app, u *url.URL) (notify.Sink, error) { return &chaosSink{"http://" + u.Host}, nil }
	root := a.command()
	root.SetArgs(os.Args[1:])
	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	return exitDone
}

type chaosSink struct{ url string }

// chaosMessage is a message on its way to a receiver.
type chaosMessage struct {
	ID   string          `json:"id"`
	Body json.RawMessage `json:"body"`
}

// Send posts a batch; the answer is an array of 1 for messages taken and 0 for others.
func (s *chaosSink) Send(ctx context.Context, batch []*notify.Message) error {
	var list []chaosMessage
	for _, m := range batch {
		list = append(list, chaosMessage{m.Alert.ID, m.Body})
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var taken []int
	if err := json.NewDecoder(response.Body).Decode(&taken); err != nil || response.StatusCode != http.StatusOK || len(taken) != len(batch) {
		return fmt.Errorf("receiver: %s %w", response.Status, err)
	}
	partial := &notify.PartialError{Errs: make([]error, len(batch))}
	failed := false
	for i, ok := range taken {
		if ok == 0 {
			partial.Errs[i], failed = errors.New("not taken"), true
		}
	}
	if failed {
		return partial
	}
	return nil
}
func (*chaosSink) Batch() int   { return 50 }
func (*chaosSink) Close() error { return nil }

// Moods of a receiver.
const (
	moodGood = iota
	moodSlow
	moodFailing // half of the requests, and half of the messages of the others
	moodGone    // nobody listens
	moods
)

// receiver is where a way out leads. It remembers how often each row came and under which ids.
type receiver struct {
	addr string
	rng  *rand.Rand

	mu     sync.Mutex
	mood   int
	server *http.Server
	rows   map[int]map[string]int // row → id → times
	bad    []string
}

func newReceiver(t *testing.T, seed uint64) *receiver {
	t.Helper()
	r := &receiver{addr: "127.0.0.1:0", rng: rand.New(rand.NewPCG(seed, 1)), rows: map[int]map[string]int{}, mood: moodGone}
	r.set(t, moodGood)
	t.Cleanup(func() { r.set(t, moodGone) })
	return r
}

// set changes the mood; a receiver that was gone listens again at its old address.
func (r *receiver) set(t *testing.T, mood int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case mood == moodGone && r.server != nil:
		r.server.Close()
		r.server = nil
	case mood != moodGone && r.server == nil:
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", r.addr)
		if err != nil {
			t.Errorf("receiver: %v", err)
			return
		}
		r.addr = l.Addr().String()
		r.server = &http.Server{Handler: r, ReadHeaderTimeout: time.Minute}
		go r.server.Serve(l)
	}
	r.mood = mood
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	text, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	var list []chaosMessage
	if err := json.Unmarshal(text, &list); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.mood == moodSlow:
		r.mu.Unlock()
		wait(req.Context(), 150*time.Millisecond)
		r.mu.Lock()
	case r.mood == moodFailing && r.rng.IntN(2) == 0:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	taken := make([]int, len(list))
	for i, m := range list {
		if r.mood == moodFailing && r.rng.IntN(2) == 0 {
			continue
		}
		taken[i] = 1
		r.take(m)
	}
	_ = json.NewEncoder(w).Encode(taken)
}

// wait is a time-out that an end of the request cuts short.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// take notes a message.
func (r *receiver) take(m chaosMessage) {
	row, err := rowNumber(m.Body)
	if err != nil {
		r.bad = append(r.bad, err.Error())
		return
	}
	if r.rows[row] == nil {
		r.rows[row] = map[string]int{}
	}
	r.rows[row][m.ID]++
}

// rowNumber is the cell row_number of a message's only row, which must be an attack.
func rowNumber(body []byte) (int, error) {
	var split struct {
		Columns []string `json:"columns"`
		Data    [][]any  `json:"data"`
	}
	if err := json.Unmarshal(body, &split); err != nil || len(split.Data) != 1 || len(split.Data[0]) != len(split.Columns) {
		return 0, fmt.Errorf("body %.200s: %w", body, err)
	}
	cells := map[string]any{}
	for i, name := range split.Columns {
		cells[name] = split.Data[0][i]
	}
	n, ok := cells["row_number"].(float64)
	if !ok || cells["prediction"] != 1.0 {
		return 0, fmt.Errorf("body %.200s has no row_number, or is no attack", body)
	}
	return int(n), nil
}

// missing counts the rows that have not come.
func (r *receiver) missing(rows map[int]bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for row := range rows {
		if len(r.rows[row]) == 0 {
			n++
		}
	}
	return n
}
