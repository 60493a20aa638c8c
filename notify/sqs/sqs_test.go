package sqs_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	service "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"mlids"
	"mlids/internal/awstest"
	"mlids/notify"
	"mlids/notify/sqs"
)

func message(id string, attack bool) *notify.Message {
	v := mlids.Verdict{Attack: attack, Class: "benign", Probability: 0.875, Threshold: 0.5, Model: "m", Version: "v1"}
	if attack {
		v.Class = "dos"
	}
	return &notify.Message{
		Kind:  notify.Prediction,
		Alert: mlids.Alert{ID: id, Verdict: v, Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"), Proto: 6, SrcPort: 1, DstPort: 80},
		Body:  []byte(`{"columns":["x","prediction"],"data":[[0.5,1]]}`),
	}
}

// parse makes a configuration of a queue's URL as the emulator gives it.
func parse(t *testing.T, s *awstest.Server, queue, query string) sqs.Config {
	t.Helper()
	u, err := url.Parse(queue)
	if err != nil {
		t.Fatal(err)
	}
	u.Scheme, u.RawQuery = "sqs", query
	cfg, err := sqs.Parse(u, s.Env())
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func sink(t *testing.T, cfg sqs.Config, deps sqs.Deps) *sqs.Sink {
	t.Helper()
	s, err := sqs.New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// receive takes messages off the queue until there are n or a minute is over.
func receive(t *testing.T, cfg sqs.Config, n int) []notify.Delivery {
	t.Helper()
	r, err := sqs.NewReceiver(cfg, sqs.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var got []notify.Delivery
	for len(got) < n {
		batch, err := r.Receive(ctx)
		if err != nil { // followers try again, and so does this
			if t.Logf("after %d of %d: %v", len(got), n, err); ctx.Err() != nil {
				t.FailNow()
			}
		}
		for _, d := range batch { // a FIFO queue holds a group back until its first message is deleted
			if err := d.Delete(ctx); err != nil {
				t.Error(err)
			}
		}
		got = append(got, batch...)
	}
	return got
}

// TestService runs against real servers of SQS's protocol.
func TestService(t *testing.T) {
	awstest.Each(t, func(t *testing.T, s *awstest.Server) {
		t.Helper()
		t.Run("SendAndReceive", func(t *testing.T) { sendAndReceive(t, s) })
		t.Run("FIFO", func(t *testing.T) { fifo(t, s) })
	})
}

func sendAndReceive(t *testing.T, s *awstest.Server) {
	t.Helper()
	queue := s.Queue(t, "attacks", nil)
	cfg := parse(t, s, queue, "")
	var batch []*notify.Message
	for i := range 10 {
		batch = append(batch, message(fmt.Sprint("id", i), i%2 == 0))
	}
	if err := sink(t, cfg, sqs.Deps{}).Send(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, d := range receive(t, cfg, 10) {
		if d.Err != nil || seen[d.Alert.ID] || string(d.Body) != string(batch[0].Body) {
			t.Errorf("%+v", d)
		}
		seen[d.Alert.ID] = true
		want := message(d.Alert.ID, d.Alert.Verdict.Attack)
		if d.Alert.Verdict != want.Alert.Verdict || d.Alert.Src != want.Alert.Src || d.Alert.DstPort != 80 {
			t.Errorf("got %+v", d.Alert)
		}
	}
	if len(seen) != 10 || waiting(t, s, queue) != "0 0" {
		t.Errorf("%d messages, left in the queue %s", len(seen), waiting(t, s, queue))
	}
}

// waiting counts the messages of a queue: ready and in flight.
func waiting(t *testing.T, s *awstest.Server, queue string) string {
	t.Helper()
	out, err := s.SQS().GetQueueAttributes(t.Context(), &service.GetQueueAttributesInput{QueueUrl: &queue, AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes["ApproximateNumberOfMessages"] + " " + out.Attributes["ApproximateNumberOfMessagesNotVisible"]
}

// fifo: a FIFO queue keeps the order of a host and drops duplicates by the alert's id.
func fifo(t *testing.T, s *awstest.Server) {
	t.Helper()
	queue := s.Queue(t, "attacks.fifo", map[string]string{"FifoQueue": "true"})
	cfg := parse(t, s, queue, "")
	out := sink(t, cfg, sqs.Deps{})
	for range 2 { // the second delivery of both is dropped
		if err := out.Send(t.Context(), []*notify.Message{message("first", true), message("second", true)}); err != nil {
			t.Fatal(err)
		}
	}
	if got := waiting(t, s, queue); got != "2 0" {
		t.Errorf("in the queue: %s, want 2", got)
	}
	got := receive(t, cfg, 2)
	if got[0].Alert.ID != "first" || got[1].Alert.ID != "second" {
		t.Errorf("order: %s, %s", got[0].Alert.ID, got[1].Alert.ID)
	}
}

// api is a service whose answers the test chooses.
type api struct {
	send func(*service.SendMessageBatchInput) (*service.SendMessageBatchOutput, error)
	sent []*service.SendMessageBatchInput
	sqs.API
}

func (a *api) SendMessageBatch(_ context.Context, in *service.SendMessageBatchInput, _ ...func(*service.Options)) (*service.SendMessageBatchOutput, error) {
	a.sent = append(a.sent, in)
	if a.send != nil {
		return a.send(in)
	}
	out := &service.SendMessageBatchOutput{}
	for _, e := range in.Entries {
		out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{Id: e.Id})
	}
	return out, nil
}

func faked(t *testing.T, a *api) *sqs.Sink {
	t.Helper()
	return sink(t, sqs.Config{Queue: "https://sqs.eu-west-1.amazonaws.com/1/q"}, sqs.Deps{API: a})
}

// Large messages go out in several requests, none above the limit; one that is too large alone is refused for good.
func TestSizes(t *testing.T) {
	a := &api{}
	var batch []*notify.Message
	for i := range 10 {
		m := message(strconv.Itoa(i), true)
		m.Body = []byte(`"` + strings.Repeat("x", 100<<10) + `"`)
		if i == 3 {
			m.Body = []byte(`"` + strings.Repeat("x", 256<<10) + `"`)
		}
		batch = append(batch, m)
	}
	err := faked(t, a).Send(t.Context(), batch)
	var partial *notify.PartialError
	if !errors.As(err, &partial) || !errors.Is(partial.Errs[3], notify.ErrPermanent) {
		t.Fatalf("%v", err)
	}
	entries := 0
	for _, in := range a.sent {
		size := 0
		for _, e := range in.Entries {
			size += len(*e.MessageBody)
			for name, v := range e.MessageAttributes {
				size += len(name) + len(*v.DataType) + len(*v.StringValue)
			}
		}
		if entries += len(in.Entries); size > 256<<10 {
			t.Errorf("a request of %d bytes", size)
		}
	}
	if entries != 9 || len(a.sent) != 5 {
		t.Errorf("%d messages in %d requests, want 9 in 5", entries, len(a.sent))
	}
}

func TestFailures(t *testing.T) {
	ok := func(id string) types.SendMessageBatchResultEntry { return types.SendMessageBatchResultEntry{Id: &id} }
	failed := func(id, code string, sender bool) types.BatchResultErrorEntry {
		return types.BatchResultErrorEntry{Id: &id, Code: &code, SenderFault: sender}
	}
	a := &api{send: func(*service.SendMessageBatchInput) (*service.SendMessageBatchOutput, error) {
		return &service.SendMessageBatchOutput{
			Successful: []types.SendMessageBatchResultEntry{ok("0"), ok("77"), ok("x"), {}},
			Failed:     []types.BatchResultErrorEntry{failed("1", "InvalidMessageContents", true), failed("2", "InternalError", false), failed("-1", "x", true)},
		}, nil
	}}
	batch := []*notify.Message{message("0", true), message("1", true), message("2", true), message("3", true)}
	var partial *notify.PartialError
	if err := faked(t, a).Send(t.Context(), batch); !errors.As(err, &partial) {
		t.Fatal(err)
	}
	for i, want := range []struct{ failed, permanent bool }{{false, false}, {true, true}, {true, false}, {true, false}} {
		if err := partial.Errs[i]; (err != nil) != want.failed || errors.Is(err, notify.ErrPermanent) != want.permanent {
			t.Errorf("message %d: %v", i, err)
		}
	}
	for code, permanent := range map[string]bool{"ValidationError": true, "ThrottlingException": false, "AccessDenied": false, "QueueDoesNotExist": false} {
		a.send = func(*service.SendMessageBatchInput) (*service.SendMessageBatchOutput, error) {
			return nil, &smithy.GenericAPIError{Code: code}
		}
		if err := faked(t, a).Send(t.Context(), batch[:1]); err == nil || errors.Is(err, notify.ErrPermanent) != permanent {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// Characters that the service refuses are replaced; so are ids that it does not take.
func TestOddText(t *testing.T) {
	a := &api{}
	m := message(strings.Repeat("ä", 100), true)
	m.Alert.Verdict.Class = "dos\x00\xff"
	s := sink(t, sqs.Config{Queue: "https://sqs.eu-west-1.amazonaws.com/1/q.fifo"}, sqs.Deps{API: a})
	if err := s.Send(t.Context(), []*notify.Message{m}); err != nil {
		t.Fatal(err)
	}
	e := a.sent[0].Entries[0]
	if got := aws.ToString(e.MessageAttributes["class"].StringValue); got != "dos\uFFFD\uFFFD" {
		t.Errorf("class %q", got)
	}
	if id := aws.ToString(e.MessageDeduplicationId); len(id) != 64 {
		t.Errorf("deduplication id %q", id)
	}
}

func TestParse(t *testing.T) {
	env := func(name string) (string, bool) {
		v, ok := map[string]string{"AWS_REGION": "us-east-1"}[name]
		return v, ok
	}
	for address, want := range map[string]sqs.Config{
		"sqs://sqs.eu-west-1.amazonaws.com/1/q":  {Queue: "https://sqs.eu-west-1.amazonaws.com/1/q"},
		"sqs://127.0.0.1:4566/1/q":               {Queue: "http://127.0.0.1:4566/1/q"},
		"sqs://sqs.eu-west-1.localhost:4566/1/q": {Queue: "http://sqs.eu-west-1.localhost:4566/1/q"},
		"sqs://queues.example.com/1/q":           {Queue: "https://queues.example.com/1/q"},
	} {
		u, _ := url.Parse(address)
		got, err := sqs.Parse(u, env)
		amazon := strings.Contains(address, "amazonaws")
		if err != nil || got.Queue != want.Queue || (got.AWS.Endpoint == "") != amazon || (got.AWS.Region == "eu-west-1") != strings.Contains(address, "eu-west-1") {
			t.Errorf("%s: %+v, %v", address, got, err)
		}
	}
	for _, address := range []string{"sqs:", "sqs://host/q", "sqs://host/1/q?regoin=x", "sqs://host/1/q?timeout=0s"} {
		u, _ := url.Parse(address)
		if _, err := sqs.Parse(u, env); err == nil {
			t.Errorf("%s was read", address)
		}
	}
}
