package openflow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"mlids"
	"mlids/capture"
	"mlids/mitigate/openflow/ofp"
)

// session is the connection of one switch.
type session struct {
	c       *Controller
	conn    net.Conn
	log     *slog.Logger
	out     *outbox
	calls   *calls
	done    chan struct{} // closed when the session ends
	greeted chan struct{} // closed when the switch said hello
	node    atomic.Pointer[node]
	heard   atomic.Int64  // when the last message came, ns
	noise   *rate.Limiter // of log lines that the switch causes
	changes *rate.Limiter // of its ports: each costs other switches, too

	counting *counting

	mu      sync.Mutex
	meters  map[string]uint32 // of the blocks that let some packets pass
	foreign map[uint32]bool   // other meters that the switch had: somebody else's, or left over

	// of the reader
	hello  bool
	in     ofp.PacketIn
	reply  ofp.MultipartReply
	dec    *capture.Decoder
	packet mlids.Packet
}

func newSession(c *Controller, conn net.Conn) *session {
	s := &session{
		c: c, conn: conn, log: c.log.With("peer", conn.RemoteAddr().String()), out: newOutbox(conn), calls: newCalls(),
		done: make(chan struct{}), greeted: make(chan struct{}), noise: rate.NewLimiter(1, 10), changes: rate.NewLimiter(portChanges, 2*maxPorts),
		dec: capture.NewDecoder(capture.DecoderConfig{}), counting: newCounting(2 * c.cfg.MaxFlows),
	}
	s.heard.Store(time.Now().UnixNano())
	return s
}

// run serves the switch until the connection ends. The error says why.
func (s *session) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		<-ctx.Done()
		close(s.done)
		return s.conn.Close()
	})
	group.Go(s.read)
	group.Go(func() error { return s.out.run(s.done) })
	group.Go(func() error {
		if err := s.setUp(ctx); err != nil {
			return err
		}
		return s.attend(ctx)
	})
	err := group.Wait()
	if at := s.node.Load(); at != nil {
		s.c.left(s, at)
	}
	if slow := s.out.failure(); slow != nil {
		return slow
	}
	return err
}

// send puts a message on its way that is not answered, or whose answer nobody waits for.
func (s *session) send(m ofp.Message) { s.out.put(s.calls.number(), m) }

// ask sends a message and hands the parts of its answer to each.
func (s *session) ask(ctx context.Context, m ofp.Message, each func(ofp.Header, []byte) error) error {
	xid, k := s.calls.begin(each)
	s.out.put(xid, m)
	return k.wait(ctx, s.done, s.c.cfg.Answer)
}

// transact sends messages and returns when the switch has carried them out, with the first refusal.
func (s *session) transact(ctx context.Context, list ...ofp.Message) error {
	xid, k := s.calls.begin(nil)
	for _, m := range list {
		s.out.put(s.calls.expect(k), m)
	}
	s.out.put(xid, &ofp.Empty{Of: ofp.TypeBarrierRequest})
	return k.wait(ctx, s.done, s.c.cfg.Answer)
}

// silence is how long a switch may send nothing until it is asked for a sign of life, and how long after that it is gone.
const (
	silence = 5 * time.Second
	gone    = 15 * time.Second
)

// read takes messages until the connection fails or the switch sends what it must not.
func (s *session) read() error {
	r := ofp.NewReader(s.conn)
	var renewed time.Time
	for {
		if now := time.Now(); now.Sub(renewed) > gone/16 { // a switch that always has more to say leaves no pause to do it in
			if err := s.conn.SetReadDeadline(now.Add(gone)); err != nil {
				return err
			}
			renewed = now
		}
		h, body, err := r.Next()
		if err != nil {
			return readFailure(err)
		}
		s.heard.Store(time.Now().UnixNano())
		if err := s.handle(h, body); err != nil {
			return fmt.Errorf("%v: %w", h.Type, err)
		}
	}
}

// readFailure tells a switch that sent nonsense from a connection that ended.
func readFailure(err error) error {
	switch {
	case errors.Is(err, ofp.ErrVersion), errors.Is(err, ofp.ErrLength), errors.Is(err, ofp.ErrMalformed):
		return fmt.Errorf("%w: %w", ErrSwitch, err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("connection ended within a message: %w: %w", ErrSwitch, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("nothing, or no whole message, for %v: %w", gone, ErrSwitch)
	}
	return err
}

// attend keeps the connection alive and reads the counters.
func (s *session) attend(ctx context.Context) error {
	poll, life := time.NewTicker(s.c.cfg.Poll), time.NewTicker(silence/2)
	defer poll.Stop()
	defer life.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-poll.C:
			if err := s.poll(ctx); err != nil {
				return fmt.Errorf("counters: %w", err)
			}
			if s.calls.overdue(s.c.cfg.Answer) {
				return fmt.Errorf("no answer for %v: %w", s.c.cfg.Answer, ErrSwitch)
			}
		case <-life.C:
			if time.Since(time.Unix(0, s.heard.Load())) > silence {
				s.send(&ofp.Echo{})
			}
		}
	}
}

// poll reads the counters of our flows, and tells the detector what it was not shown.
func (s *session) poll(ctx context.Context) error {
	at, count := s.node.Load(), tally{}
	edges := s.c.net.edgePorts(at)
	var headers []byte
	s.counting.begin()
	err := s.ask(ctx, &ofp.MultipartRequest{Of: ofp.PartFlows, Table: ofp.TableAll, Cookie: ours, CookieMask: oursMask},
		flowParts(&ofp.FlowStats{}, func(f *ofp.FlowStats) error {
			count.add(f)
			if edges[f.Match.InPort] {
				s.counting.take(f, 2*s.c.cfg.Poll, func(unseen uint32, mean int) bool {
					headers = headersOf(headers, &f.Match, mean)
					return s.c.feed.push(headers, mean, mlids.Port{Switch: at.id, Number: f.Match.InPort}, unseen)
				})
			}
			return nil
		}))
	if err != nil {
		return err
	}
	s.counting.end()
	s.c.net.counted(at, count.flows)
	s.c.count.tally(at.id, &count)
	return nil
}

// tally adds up the flows of a switch.
type tally struct {
	flows            int
	carried, blocked uint64 // packets
}

func (t *tally) add(f *ofp.FlowStats) {
	switch kindOf(f.Cookie) {
	case kindForward, kindCoarse, kindTree:
		t.flows++
		t.carried += f.Packets
	case kindBlock:
		t.blocked += f.Packets
	}
}

// flowParts hands the flows of an answer to each.
func flowParts(record *ofp.FlowStats, each func(*ofp.FlowStats) error) func(ofp.Header, []byte) error {
	return parts(ofp.PartFlows, record, each)
}

// parts hands the records of a multipart answer to each.
func parts[R ofp.Record](of ofp.Part, record R, each func(R) error) func(ofp.Header, []byte) error {
	return func(_ ofp.Header, body []byte) error {
		var reply ofp.MultipartReply
		if err := reply.Decode(body); err != nil {
			return fmt.Errorf("%w: %w", ErrSwitch, err)
		}
		if reply.Of != of {
			return fmt.Errorf("multipart %d in answer to %d: %w", reply.Of, of, ErrSwitch)
		}
		if err := ofp.Records(reply.Body, record, each); err != nil {
			return fmt.Errorf("%w: %w", ErrSwitch, err)
		}
		return nil
	}
}
