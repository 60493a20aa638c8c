package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// chaos is the size of TestChaos.
type chaos struct {
	rows, kills, clients int
	attacks              int // one row in so many
	pause                time.Duration
	limit                time.Duration
}

// TestChaos sends rows while the ways out are stopped, slowed, failing and restarted, and mlids is killed with -9 at random
// moments; clients retry. Then every attack that a client was answered for has reached every receiver, none was invented, and
// copies of a message have the same id. MLIDS_CHAOS=full is "make chaos": 200,000 rows and twenty kills.
func TestChaos(t *testing.T) {
	c := chaos{rows: 10_000, kills: 3, clients: 4, attacks: 10, pause: 500 * time.Millisecond, limit: 50 * time.Second}
	if os.Getenv("MLIDS_CHAOS") == "full" {
		c = chaos{rows: 200_000, kills: 20, clients: 4, attacks: 10, pause: 2500 * time.Millisecond, limit: 10 * time.Minute}
	} else if testing.Short() {
		t.Skip("needs 20 s: run without -short")
	}
	t.Parallel() // it mostly waits
	ctx, cancel := context.WithTimeout(t.Context(), c.limit)
	defer cancel()
	receivers := []*receiver{newReceiver(t, 1), newReceiver(t, 2), newReceiver(t, 3)}
	p := &victim{t: t, addr: freeAddr(t), dir: t.TempDir()}
	for i, r := range receivers {
		p.args = append(p.args, "--notify", fmt.Sprintf("way%d=chaos://%s longest-pause=500ms", i, r.addr))
	}
	p.start()
	defer p.kill()
	work := newChaosClients(t, c, "http://"+p.addr)
	var wg sync.WaitGroup
	sending, sent := context.WithCancel(ctx)
	wg.Go(func() { defer sent(); work.run(ctx) })
	wg.Go(func() { spoil(sending, t, receivers) })
	killed := p.killAtRandom(sending, c)
	close(work.survived)
	wg.Wait()
	for _, r := range receivers {
		r.set(t, moodGood)
	}
	finished := time.Now()
	for _, r := range receivers {
		for n := r.missing(work.answered); n > 0; n = r.missing(work.answered) {
			if ctx.Err() != nil {
				t.Fatalf("%d of %d attacks have not reached %s\n%s", n, len(work.answered), r.addr, p.log())
			}
			wait(ctx, 50*time.Millisecond)
		}
	}
	if killed < c.kills {
		t.Errorf("killed %d times, want %d", killed, c.kills)
	}
	t.Logf("%d rows in %d requests, %d retries, mlids killed %d times; %d attacks answered for; all delivered %v after the last answer",
		c.rows, work.requests, work.retries.Load(), killed, len(work.answered), time.Since(finished).Round(time.Millisecond))
	for i, r := range receivers {
		r.report(t, i, c, work.answered)
	}
}

// report checks what came and prints the counts.
func (r *receiver) report(t *testing.T, i int, c chaos, answered map[int]bool) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	copies := 0
	for row, ids := range r.rows {
		if row%c.attacks != 0 || row < 0 || row >= c.rows {
			t.Errorf("way %d: row %d was invented", i, row)
		}
		if len(ids) != 1 {
			t.Errorf("way %d: row %d came under %d ids: %v", i, row, len(ids), ids)
		}
		for _, n := range ids {
			copies += n - 1
		}
	}
	if len(r.bad) > 0 {
		t.Errorf("way %d: %d messages of another kind, the first: %s", i, len(r.bad), r.bad[0])
	}
	t.Logf("way %d: %d attacks (%d of them answered for), %d copies", i, len(r.rows), len(answered), copies)
}

// spoil changes the receivers' moods until ctx is done.
func spoil(ctx context.Context, t *testing.T, receivers []*receiver) {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	for ctx.Err() == nil {
		receivers[rng.IntN(len(receivers))].set(t, rng.IntN(moods))
		wait(ctx, time.Duration(50+rng.IntN(200))*time.Millisecond)
	}
}

// victim is the mlids process.
type victim struct {
	t         *testing.T
	addr, dir string
	args      []string
	cmd       *exec.Cmd
	out       bytes.Buffer
}

func (p *victim) start() {
	p.t.Helper()
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	p.out.Reset()
	p.cmd = &exec.Cmd{Path: self, Args: append([]string{"mlids-chaos", "serve", "--listen", p.addr, "--data-dir", p.dir}, p.args...), Stderr: &p.out}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// kill sends SIGKILL and waits.
func (p *victim) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// log is what the process printed; it is not to be asked while the process runs.
func (p *victim) log() string {
	p.kill()
	return p.out.String()
}

// killAtRandom kills and starts again, at random moments after the process answers, until there were enough.
func (p *victim) killAtRandom(ctx context.Context, c chaos) (killed int) {
	rng := rand.New(rand.NewPCG(5, 6))
	for killed < c.kills && ctx.Err() == nil {
		if !p.answers(ctx) {
			return killed
		}
		wait(ctx, time.Duration(rng.Int64N(int64(c.pause))))
		p.kill()
		killed++
		p.start()
	}
	return killed
}

func (p *victim) answers(ctx context.Context) bool {
	for ctx.Err() == nil {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr+"/readyz", nil)
		if err != nil {
			return false
		}
		if response, err := http.DefaultClient.Do(r); err == nil {
			response.Body.Close()
			return true
		}
		wait(ctx, 20*time.Millisecond)
	}
	return false
}

func freeAddr(tb testing.TB) string {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// chaosClients send all rows, again and again until each request is answered.
type chaosClients struct {
	t              *testing.T
	c              chaos
	url            string
	benign, attack string
	requests       int
	retries        atomic.Int64
	survived       chan struct{} // closed after the last kill; the last tenth of the rows waits for it

	mu       sync.Mutex
	answered map[int]bool // attacks that an answer told of
}

func newChaosClients(t *testing.T, c chaos, url string) *chaosClients {
	t.Helper()
	text := func(record string) string { return strings.TrimSuffix(record, "}") + `,"row_number":` }
	return &chaosClients{t: t, c: c, url: url, benign: text(string(kddRecord(t))), attack: text(neptune(t)), answered: map[int]bool{}, survived: make(chan struct{})}
}

// run gives each client requests of 1 to 200 rows.
func (w *chaosClients) run(ctx context.Context) {
	rng := rand.New(rand.NewPCG(7, 8))
	jobs := make(chan [2]int)
	var wg sync.WaitGroup
	for range w.c.clients {
		wg.Go(func() {
			for job := range jobs {
				w.send(ctx, job[0], job[1])
			}
		})
	}
	for from := 0; from < w.c.rows; w.requests++ {
		to := min(w.c.rows, from+1+rng.IntN(200))
		if to > w.c.rows/10*9 {
			select {
			case <-w.survived:
			case <-ctx.Done():
			}
		}
		jobs <- [2]int{from, to}
		from = to
	}
	close(jobs)
	wg.Wait()
}

// send retries a request until it is answered with 200, and notes the attacks of the answer.
func (w *chaosClients) send(ctx context.Context, from, to int) {
	var body strings.Builder
	for row := from; row < to; row++ {
		record := w.benign
		if row%w.c.attacks == 0 {
			record = w.attack
		}
		fmt.Fprintf(&body, "%c%s%d}", ",["[btoi(row == from)], record, row)
	}
	body.WriteByte(']')
	for ctx.Err() == nil {
		answer, err := w.post(ctx, body.String(), fmt.Sprintf("rows-%d-%d", from, to))
		if err == nil {
			w.note(answer, from, to)
			return
		}
		w.retries.Add(1)
		wait(ctx, 50*time.Millisecond)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (w *chaosClients) post(ctx context.Context, body, key string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/predict", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, answer)
	}
	return answer, err
}

func (w *chaosClients) note(answer []byte, from, to int) {
	var verdicts []struct{ Prediction string }
	if err := json.Unmarshal(answer, &verdicts); err != nil || len(verdicts) != to-from {
		w.t.Errorf("answer %.200s: %v", answer, err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, v := range verdicts {
		if row := from + i; (v.Prediction != "normal") != (row%w.c.attacks == 0) {
			w.t.Errorf("row %d is called %s", row, v.Prediction)
		} else if v.Prediction != "normal" {
			w.answered[row] = true
		}
	}
}
