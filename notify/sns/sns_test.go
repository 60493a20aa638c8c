package sns_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	service "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	queues "github.com/aws/aws-sdk-go-v2/service/sqs"
	queuetypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"mlids"
	"mlids/internal/awstest"
	"mlids/notify"
	"mlids/notify/awsconf"
	"mlids/notify/sns"
	"mlids/notify/sqs"
)

func message(id string, attack bool, probability float64) *notify.Message {
	v := mlids.Verdict{Attack: attack, Class: "benign", Probability: probability, Threshold: 0.5, Model: "m", Version: "v1"}
	if attack {
		v.Class = "dos"
	}
	return &notify.Message{
		Kind: notify.Prediction,
		Alert: mlids.Alert{
			ID: id, Verdict: v, Src: netip.MustParseAddr("10.0.0.1"), Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), CommunityID: "1:x",
		},
		Body: []byte(`{"columns":["x","prediction"],"data":[[0.5,1]]}`),
	}
}

func sink(t *testing.T, s *awstest.Server, topic string) *sns.Sink {
	t.Helper()
	cfg, err := sns.Parse(&url.URL{Scheme: "sns", Opaque: topic}, s.Env())
	if err != nil {
		t.Fatal(err)
	}
	out, err := sns.New(cfg, sns.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func receiver(t *testing.T, s *awstest.Server, queue string) *sqs.Receiver {
	t.Helper()
	u, err := url.Parse(queue)
	if err != nil {
		t.Fatal(err)
	}
	u.Scheme = "sqs"
	cfg, err := sqs.Parse(u, s.Env())
	if err != nil {
		t.Fatal(err)
	}
	r, err := sqs.NewReceiver(cfg, sqs.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// receive takes n messages off a queue and gives their ids.
func receive(t *testing.T, r *sqs.Receiver, n int) map[string]*notify.Message {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	got := map[string]*notify.Message{}
	for len(got) < n {
		batch, err := r.Receive(ctx)
		if err != nil { // followers try again, and so does this
			if t.Logf("after %d of %d: %v", len(got), n, err); ctx.Err() != nil {
				t.FailNow()
			}
		}
		for _, d := range batch {
			if d.Err != nil {
				t.Error(d.Err)
			}
			got[d.Alert.ID] = d.Message
			if err := d.Delete(ctx); err != nil {
				t.Error(err)
			}
		}
	}
	return got
}

// TestService runs against real servers of SNS's and SQS's protocols.
func TestService(t *testing.T) {
	awstest.Each(t, func(t *testing.T, s *awstest.Server) {
		t.Helper()
		t.Run("TopicFilterQueue", func(t *testing.T) { topicFilterQueue(t, s) })
		t.Run("Envelope", func(t *testing.T) { envelopeAsMLIDS(t, s) })
		t.Run("Unreachable", func(t *testing.T) { unreachable(t, s) })
	})
}

// topicFilterQueue is the way of ML-IDS: every prediction goes to the topic, attacks alone to the queue, the sure ones to another, whether the
// subscription asks for raw messages or not.
func topicFilterQueue(t *testing.T, s *awstest.Server) {
	t.Helper()
	topic := s.Topic(t, "predictions", nil)
	for name, policy := range map[string]string{
		"attacks": `{"prediction":["attack"]}`, "attacks-raw": `{"prediction":["attack"]}`, "all": "",
		"sure": `{"prediction":["attack"],"probability":[{"numeric":[">=",0.7]}]}`,
	} {
		s.Subscribe(t, topic, s.Queue(t, name, nil), policy, name != "attacks")
	}
	var batch []*notify.Message
	for i := range 10 {
		batch = append(batch, message(strconv.Itoa(i), i%2 == 0, float64(i)/10)) // attacks 0 2 4 6 8
	}
	if err := sink(t, s, topic).Send(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"attacks": "0 2 4 6 8", "attacks-raw": "0 2 4 6 8", "sure": "8", "all": "0 1 2 3 4 5 6 7 8 9"} {
		url, err := s.SQS().GetQueueUrl(t.Context(), &queues.GetQueueUrlInput{QueueName: aws.String(name)})
		if err != nil {
			t.Fatal(err)
		}
		ids := strings.Fields(want)
		got := receive(t, receiver(t, s, *url.QueueUrl), len(ids))
		for _, id := range ids {
			m := got[id]
			if m == nil || string(m.Body) != string(batch[0].Body) || m.Alert.Verdict.Model != "m" || m.Alert.CommunityID != "1:x" {
				t.Errorf("%s: message %s: %+v", name, id, m)
			}
		}
		if n := left(t, s, *url.QueueUrl); len(got) != len(ids) || n != "0" {
			t.Errorf("%s: %d messages, want %d; %s left", name, len(got), len(ids), n)
		}
	}
}

func left(t *testing.T, s *awstest.Server, queue string) string {
	t.Helper()
	out, err := s.SQS().GetQueueAttributes(t.Context(), &queues.GetQueueAttributesInput{QueueUrl: &queue, AttributeNames: []queuetypes.QueueAttributeName{"All"}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes["ApproximateNumberOfMessages"]
}

// envelopeAsMLIDS: what a reader that is not ours gets: ML-IDS's clients read the envelope, and in it the type and value of the attribute.
func envelopeAsMLIDS(t *testing.T, s *awstest.Server) {
	t.Helper()
	topic, queue := s.Topic(t, "enveloped", nil), s.Queue(t, "enveloped", nil)
	s.Subscribe(t, topic, queue, `{"prediction":["attack"]}`, false)
	if err := sink(t, s, topic).Send(t.Context(), []*notify.Message{message("a", true, 0.9)}); err != nil {
		t.Fatal(err)
	}
	out, err := s.SQS().ReceiveMessage(t.Context(), &queues.ReceiveMessageInput{QueueUrl: &queue, WaitTimeSeconds: 10})
	if err != nil || len(out.Messages) != 1 {
		t.Fatal(out, err)
	}
	var envelope struct {
		Message           string
		MessageAttributes map[string]struct{ Type, Value string }
	}
	if err := json.Unmarshal([]byte(*out.Messages[0].Body), &envelope); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][2]string{"prediction": {"String", "attack"}, "class": {"String", "dos"}, "probability": {"Number", "0.900000"}} {
		if got := envelope.MessageAttributes[name]; got.Type != want[0] || got.Value != want[1] {
			t.Errorf("attribute %s: %+v, want %v", name, got, want)
		}
	}
	if envelope.Message != `{"columns":["x","prediction"],"data":[[0.5,1]]}` {
		t.Errorf("message %s", envelope.Message)
	}
}

// unreachable: a topic that is not there, and a service that is not there, are worth another try.
func unreachable(t *testing.T, s *awstest.Server) {
	t.Helper()
	out := sink(t, s, "arn:aws:sns:eu-west-1:000000000000:none")
	if err := out.Send(t.Context(), []*notify.Message{message("a", true, 1)}); err == nil || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("no such topic: %v", err)
	}
	s.Kill()
	if err := out.Send(t.Context(), []*notify.Message{message("a", true, 1)}); err == nil || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("no service: %v", err)
	}
}

// The emulators do not look at types; this does.
func TestDataTypes(t *testing.T) {
	a := &api{}
	out, err := sns.New(sns.Config{Topic: "arn:aws:sns:eu-west-1:1:t.fifo"}, sns.Deps{API: a})
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Send(t.Context(), []*notify.Message{message("a", true, 1e-9), message("b", false, 1)}); err != nil {
		t.Fatal(err)
	}
	for i, e := range a.in.PublishBatchRequestEntries {
		for name, v := range e.MessageAttributes {
			want := "String"
			if name == "probability" {
				want = "Number"
			}
			if *v.DataType != want || aws.ToString(v.StringValue) == "" || v.BinaryValue != nil {
				t.Errorf("attribute %s: %s %q", name, *v.DataType, aws.ToString(v.StringValue))
			}
		}
		if got := *e.MessageAttributes["prediction"].StringValue; got != []string{"attack", "benign"}[i] {
			t.Errorf("prediction %q", got)
		}
		if len(e.MessageAttributes) > 10 || *e.MessageGroupId != "10.0.0.1" || *e.MessageDeduplicationId != []string{"a", "b"}[i] {
			t.Errorf("%d attributes, group %s, id %s", len(e.MessageAttributes), *e.MessageGroupId, *e.MessageDeduplicationId)
		}
	}
	if got := *a.in.PublishBatchRequestEntries[0].MessageAttributes["probability"].StringValue; strings.ContainsAny(got, "eE") {
		t.Errorf("probability %s has an exponent, which filters do not read", got)
	}
}

type api struct{ in *service.PublishBatchInput }

func (a *api) PublishBatch(_ context.Context, in *service.PublishBatchInput, _ ...func(*service.Options)) (*service.PublishBatchOutput, error) {
	a.in = in
	out := &service.PublishBatchOutput{}
	for _, e := range in.PublishBatchRequestEntries {
		out.Successful = append(out.Successful, types.PublishBatchResultEntry{Id: e.Id})
	}
	return out, nil
}

func TestParse(t *testing.T) {
	env := func(string) (string, bool) { return "", false }
	for _, address := range []string{"sns:", "sns:topic", "sns:arn:aws:sqs:eu-west-1:1:q", "sns:arn:aws:sns:eu-west-1:1:t?x=y"} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sns.Parse(u, env); err == nil {
			t.Errorf("%s was read", address)
		}
	}
	u, _ := url.Parse("sns:arn:aws:sns:eu-west-1:1:t?endpoint=http://127.0.0.1:1&timeout=3s")
	cfg, err := sns.Parse(u, env)
	if err != nil || cfg.AWS.Region != "eu-west-1" || cfg.AWS.Endpoint != "http://127.0.0.1:1" || cfg.AWS.Timeout != 3*time.Second {
		t.Errorf("%+v, %v", cfg, err)
	}
	for _, wrong := range []sns.Config{{}, {Topic: cfg.Topic, AWS: awsconf.Config{AccessKey: "only one"}}, {Topic: cfg.Topic, AWS: awsconf.Config{Endpoint: "127.0.0.1:1"}}} {
		if _, err := sns.New(wrong, sns.Deps{}); err == nil {
			t.Errorf("%+v was taken", wrong)
		}
	}
}
