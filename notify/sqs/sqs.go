// Package sqs sends messages to a queue of Amazon SQS, and takes them from one: those sent here, and those that SNS put
// there, in its envelope or raw.
package sqs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"mlids/notify"
	"mlids/notify/awsconf"
)

// ErrQueue marks what is no address of a queue.
var ErrQueue = errors.New("no queue")

// maxBytes is the largest request, all messages with their attributes. Since 2025 the service takes 1 MiB; emulators and
// queues that are set so take the 256 KiB it had before.
const maxBytes = 256 << 10

// Config says which queue.
type Config struct {
	AWS   awsconf.Config
	Queue string // URL: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME; of a FIFO queue NAME ends in .fifo
}

// Deps are what sink and receiver use.
type Deps struct {
	Log *slog.Logger // nil for silence
	API API          // nil for Amazon's, made from Config.AWS
}

// API is the part of the service's client that is called.
type API interface {
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error)
}

// Parse reads sqs://HOST/ACCOUNT/NAME?region=…&endpoint=…&timeout=…&tls=… over the environment of ML-IDS. A host that is
// not Amazon's is the endpoint, without TLS when it is of this machine.
func Parse(u *url.URL, lookup func(string) (string, bool)) (Config, error) {
	o := notify.NewOptions(u)
	if u.Host == "" || strings.Count(strings.Trim(u.Path, "/"), "/") != 1 {
		return Config{}, fmt.Errorf("%w: %q; want sqs://sqs.REGION.amazonaws.com/ACCOUNT/NAME", ErrQueue, u.Redacted())
	}
	scheme := "https"
	if !o.Bool("tls", !local(u.Hostname())) {
		scheme = "http"
	}
	c := Config{AWS: awsconf.Env(lookup), Queue: scheme + "://" + u.Host + u.Path}
	region, amazon := regionOf(u.Hostname())
	c.AWS.Region = cmp.Or(region, c.AWS.Region)
	if !amazon {
		c.AWS.Endpoint = scheme + "://" + reachable(u)
	}
	c.AWS = c.AWS.Options(o)
	return c, o.Err()
}

// regionOf is the region in the name of a host (sqs.eu-west-1.amazonaws.com), and whether it is one of Amazon's (also .com.cn).
func regionOf(host string) (region string, amazon bool) {
	rest, ok := strings.CutPrefix(host, "sqs.")
	if !ok {
		return "", false
	}
	region, domain, _ := strings.Cut(rest, ".")
	return region, strings.HasPrefix(domain, "amazonaws.com")
}

// local tells whether a host is this machine: all names below localhost are (RFC 6761).
func local(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}

// reachable is a URL's host as one can connect to it: resolvers do not know the names below localhost, which emulators use.
func reachable(u *url.URL) string {
	if !strings.HasSuffix(u.Hostname(), ".localhost") {
		return u.Host
	}
	if u.Port() == "" {
		return "localhost"
	}
	return "localhost:" + u.Port()
}

// open makes the service's client.
func open(cfg Config, api API) (API, error) {
	if u, err := url.Parse(cfg.Queue); err != nil || u.Host == "" {
		return nil, fmt.Errorf("%w: %q; want the queue's URL", ErrQueue, cfg.Queue)
	}
	if api != nil {
		return api, nil
	}
	loaded, err := awsconf.Load(context.Background(), cfg.AWS)
	if err != nil {
		return nil, err
	}
	return sqs.NewFromConfig(loaded), nil
}

// Sink sends to one queue.
type Sink struct {
	cfg Config
	api API
}

// New makes a sink; no request is made before Send.
func New(cfg Config, deps Deps) (*Sink, error) {
	api, err := open(cfg, deps.API)
	if err != nil {
		return nil, err
	}
	return &Sink{cfg, api}, nil
}

// Batch is ten, the service's limit.
func (s *Sink) Batch() int { return awsconf.BatchLimit }

// Close does nothing: connections end when they are idle.
func (s *Sink) Close() error { return nil }

// Send puts messages into the queue, in one request or, when they are large, in several.
func (s *Sink) Send(ctx context.Context, batch []*notify.Message) error {
	errs := make([]error, len(batch))
	entries := awsconf.Entries(batch, maxBytes, errs)
	for _, request := range awsconf.Split(entries, maxBytes) {
		s.put(ctx, request, errs)
	}
	return notify.Result(errs)
}

// put makes one request and puts the errors of its messages at their places.
func (s *Sink) put(ctx context.Context, entries []awsconf.Entry, errs []error) {
	input := &sqs.SendMessageBatchInput{QueueUrl: &s.cfg.Queue}
	for i := range entries {
		input.Entries = append(input.Entries, s.entry(i, &entries[i]))
	}
	out, err := s.api.SendMessageBatch(ctx, input)
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

func (s *Sink) entry(id int, e *awsconf.Entry) types.SendMessageBatchRequestEntry {
	out := types.SendMessageBatchRequestEntry{
		Id: aws.String(strconv.Itoa(id)), MessageBody: &e.Body, MessageAttributes: map[string]types.MessageAttributeValue{},
	}
	for _, a := range e.Attributes {
		kind := awsconf.DataType(a)
		out.MessageAttributes[a.Name] = types.MessageAttributeValue{DataType: &kind, StringValue: aws.String(a.Value)}
	}
	if strings.HasSuffix(s.cfg.Queue, ".fifo") {
		out.MessageGroupId, out.MessageDeduplicationId = &e.Group, &e.ID
	}
	return out
}
