// Package sns publishes messages to a topic of Amazon SNS, as ML-IDS did: the row is the message, and the attribute
// prediction (attack or benign) is what subscriptions filter by.
package sns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"mlids/notify"
	"mlids/notify/awsconf"
)

// ErrTopic marks what is no ARN of a topic.
var ErrTopic = errors.New("no ARN of a topic")

// maxBytes is the largest request, all messages with their attributes, that Publish and PublishBatch take
// (https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html).
const maxBytes = 256 << 10

// Config says where messages go.
type Config struct {
	AWS   awsconf.Config
	Topic string // ARN: arn:aws:sns:REGION:ACCOUNT:NAME; of a FIFO topic NAME ends in .fifo
}

// Deps are what the sink uses.
type Deps struct {
	Log *slog.Logger // nil for silence
	API API          // nil for Amazon's, made from Config.AWS
}

// API is the part of the service's client that the sink calls.
type API interface {
	PublishBatch(context.Context, *sns.PublishBatchInput, ...func(*sns.Options)) (*sns.PublishBatchOutput, error)
}

// Parse reads sns:ARN?region=…&endpoint=…&timeout=… over the environment of ML-IDS.
func Parse(u *url.URL, lookup func(string) (string, bool)) (Config, error) {
	o := notify.NewOptions(u)
	c := Config{Topic: cmp.Or(u.Opaque, u.Host+u.Path)}
	region, err := regionOf(c.Topic)
	if err != nil {
		return c, err
	}
	c.AWS = awsconf.Env(lookup)
	c.AWS.Region = region // a topic cannot be asked elsewhere
	c.AWS = c.AWS.Options(o)
	return c, o.Err()
}

// regionOf is the region in a topic's ARN.
func regionOf(arn string) (string, error) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "sns" || parts[3] == "" || parts[5] == "" {
		return "", fmt.Errorf("%w: %q; want arn:aws:sns:REGION:ACCOUNT:NAME", ErrTopic, arn)
	}
	return parts[3], nil
}

// Sink publishes to one topic.
type Sink struct {
	cfg Config
	api API
}

// New makes a sink; no request is made before Send.
func New(cfg Config, deps Deps) (*Sink, error) {
	region, err := regionOf(cfg.Topic)
	if err != nil {
		return nil, err
	}
	if deps.API == nil {
		cfg.AWS.Region = cmp.Or(cfg.AWS.Region, region)
		loaded, err := awsconf.Load(context.Background(), cfg.AWS)
		if err != nil {
			return nil, err
		}
		deps.API = sns.NewFromConfig(loaded)
	}
	return &Sink{cfg, deps.API}, nil
}

// Batch is ten, the service's limit.
func (s *Sink) Batch() int { return awsconf.BatchLimit }

// Close does nothing: connections end when they are idle.
func (s *Sink) Close() error { return nil }

// Send publishes messages, in one request or, when they are large, in several.
func (s *Sink) Send(ctx context.Context, batch []*notify.Message) error {
	errs := make([]error, len(batch))
	entries := awsconf.Entries(batch, maxBytes, errs)
	for _, request := range awsconf.Split(entries, maxBytes) {
		s.publish(ctx, request, errs)
	}
	return notify.Result(errs)
}

// publish makes one request and puts the errors of its messages at their places.
func (s *Sink) publish(ctx context.Context, entries []awsconf.Entry, errs []error) {
	input := &sns.PublishBatchInput{TopicArn: &s.cfg.Topic}
	for i := range entries {
		input.PublishBatchRequestEntries = append(input.PublishBatchRequestEntries, s.entry(i, &entries[i]))
	}
	out, err := s.api.PublishBatch(ctx, input)
	if err != nil {
		awsconf.Refuse(entries, err, errs)
		return
	}
	var taken []string
	for _, ok := range out.Successful {
		taken = append(taken, aws.ToString(ok.Id))
	}
	var failed []awsconf.Failure
	for _, f := range out.Failed {
		failed = append(failed, awsconf.Failure{
			ID: aws.ToString(f.Id), Code: aws.ToString(f.Code), Message: aws.ToString(f.Message), SenderFault: f.SenderFault,
		})
	}
	awsconf.Settle(entries, taken, failed, errs)
}

func (s *Sink) entry(id int, e *awsconf.Entry) types.PublishBatchRequestEntry {
	out := types.PublishBatchRequestEntry{
		Id: aws.String(strconv.Itoa(id)), Message: &e.Body, MessageAttributes: map[string]types.MessageAttributeValue{},
	}
	for _, a := range e.Attributes {
		kind := awsconf.DataType(a)
		out.MessageAttributes[a.Name] = types.MessageAttributeValue{DataType: &kind, StringValue: aws.String(a.Value)}
	}
	if strings.HasSuffix(s.cfg.Topic, ".fifo") {
		out.MessageGroupId, out.MessageDeduplicationId = &e.Group, &e.ID
	}
	return out
}
