// Package kafka produces messages to a topic of Apache Kafka: idempotent, acknowledged by all replicas, those of one host in
// order, the row as the record's value and the attributes as its headers.
package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"mlids/notify"
)

// ErrConfig marks what no client can be made of.
var ErrConfig = errors.New("unusable Kafka configuration")

// maxBytes is the largest record, the broker's default limit for a batch (message.max.bytes) less what surrounds it.
const maxBytes = 1_000_000

// Config says where messages go.
type Config struct {
	Brokers  []string
	Topic    string
	User     string
	Password string
	SASL     string // none, plain, scram-256 or scram-512
	TLS      bool
	Timeout  time.Duration
	Batch    int
}

// Deps are what the sink uses.
type Deps struct {
	Log *slog.Logger // nil for silence
}

// Parse reads kafka://[USER:PASSWORD@]HOST:9092[,HOST:9092…]/TOPIC with the options tls, sasl, timeout, batch.
func Parse(u *url.URL) (Config, error) {
	o := notify.NewOptions(u)
	c := Config{
		Topic: strings.Trim(u.Path, "/"), SASL: o.Choice("sasl", "none", "plain", "scram-256", "scram-512"), TLS: o.Bool("tls", false),
		Timeout: o.Duration("timeout", 10*time.Second, time.Second, 5*time.Minute), Batch: o.Int("batch", 256, 1, 10000),
	}
	c.User = u.User.Username()
	c.Password, _ = u.User.Password()
	if file := o.Secret("password"); file != "" {
		c.Password = file
	}
	for broker := range strings.SplitSeq(u.Host, ",") {
		if broker != "" {
			c.Brokers = append(c.Brokers, broker)
		}
	}
	if len(c.Brokers) == 0 || c.Topic == "" || strings.Contains(c.Topic, "/") {
		return c, fmt.Errorf("%w: %q; want kafka://HOST:9092/TOPIC (several brokers: option brokers)", ErrConfig, u.Redacted())
	}
	if more := o.String("brokers", ""); more != "" {
		c.Brokers = append(c.Brokers, strings.Split(more, ",")...)
	}
	return c, o.Err()
}

// Sink produces to one topic.
type Sink struct {
	cfg    Config
	client *kgo.Client
}

// New makes a sink; it connects when something is sent.
func New(cfg Config, _ Deps) (*Sink, error) {
	options := []kgo.Opt{
		kgo.SeedBrokers(cfg.Brokers...), kgo.DefaultProduceTopic(cfg.Topic), kgo.ClientID("mlids"), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), kgo.ProducerBatchMaxBytes(maxBytes), kgo.ProducerLinger(0),
		kgo.RecordDeliveryTimeout(cfg.Timeout), kgo.RequestTimeoutOverhead(cfg.Timeout), kgo.DialTimeout(cfg.Timeout),
		kgo.MaxBufferedRecords(max(2*cfg.Batch, 1)),
	}
	method, err := mechanism(cfg)
	if err != nil {
		return nil, err
	}
	if method != nil {
		options = append(options, kgo.SASL(method))
	}
	if cfg.TLS {
		options = append(options, kgo.DialTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12}))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return &Sink{cfg, client}, nil
}

func mechanism(cfg Config) (sasl.Mechanism, error) {
	if (cfg.SASL == "" || cfg.SASL == "none") != (cfg.User == "") {
		return nil, fmt.Errorf("%w: option sasl and a user belong together", ErrConfig)
	}
	switch cfg.SASL {
	case "", "none":
		return nil, nil
	case "plain":
		return plain.Auth{User: cfg.User, Pass: cfg.Password}.AsMechanism(), nil
	case "scram-256":
		return scram.Auth{User: cfg.User, Pass: cfg.Password}.AsSha256Mechanism(), nil
	case "scram-512":
		return scram.Auth{User: cfg.User, Pass: cfg.Password}.AsSha512Mechanism(), nil
	}
	return nil, fmt.Errorf("%w: sasl %q", ErrConfig, cfg.SASL)
}

// Batch is as many as Config says.
func (s *Sink) Batch() int { return s.cfg.Batch }

// Close drops connections; what is in flight is given up.
func (s *Sink) Close() error {
	s.client.Close()
	return nil
}

// Send produces messages and waits until all replicas have them.
func (s *Sink) Send(ctx context.Context, batch []*notify.Message) error {
	ctx, stop := context.WithTimeout(ctx, s.cfg.Timeout)
	defer stop()
	errs := make([]error, len(batch))
	records := make([]*kgo.Record, 0, len(batch))
	places := map[*kgo.Record]int{}
	for i, m := range batch {
		r, err := record(m)
		if err != nil {
			errs[i] = fmt.Errorf("kafka: %w: %w", notify.ErrPermanent, err)
			continue
		}
		places[r] = i
		records = append(records, r)
	}
	for _, result := range s.client.ProduceSync(ctx, records...) {
		errs[places[result.Record]] = classify(result.Err)
	}
	return notify.Result(errs)
}

func record(m *notify.Message) (*kgo.Record, error) {
	attributes, err := notify.Attributes(m)
	if err != nil {
		return nil, err
	}
	r := &kgo.Record{Key: []byte(notify.Key(m)), Value: m.Body} // its time is now: the client gives up on records by it
	for _, a := range attributes {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: a.Name, Value: []byte(a.Value)})
	}
	return r, nil
}

// classify marks what no broker will ever take.
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.InvalidRecord), errors.Is(err, kerr.RecordListTooLarge), errors.Is(err, kerr.InvalidTimestamp):
		return fmt.Errorf("kafka: %w: %w", notify.ErrPermanent, err)
	}
	return fmt.Errorf("kafka: %w", err)
}
