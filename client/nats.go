package client

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mlids/notify"
)

// ErrQueue marks an address of a queue that cannot be used.
var ErrQueue = errors.New("unusable queue")

// natsStream is the stream that mlids serve keeps.
const natsStream = "MLIDS"

// natsBatch and natsWait bound one request for messages.
const (
	natsBatch = 100
	natsWait  = 5 * time.Second
)

// NATS reads attacks from the queue of mlids serve, built in or external.
type NATS struct {
	conn     *nats.Conn
	js       jetstream.JetStream
	cfg      jetstream.ConsumerConfig
	consumer jetstream.Consumer
}

// OpenNATS makes a reader of nats://[USER:PASSWORD@]HOST:PORT?name=…&all&from=start|now. With a name the place in the queue
// is kept by the server, and a reader of that name goes on there; without, reading begins at the oldest message (from=now: with
// those to come) and each message stays for others. It connects when messages are asked for.
func OpenNATS(u *url.URL) (*NATS, error) {
	o := notify.NewOptions(u)
	name := o.String("name", "")
	cfg := jetstream.ConsumerConfig{
		Durable: name, AckPolicy: jetstream.AckExplicitPolicy, AckWait: 30 * time.Second, FilterSubject: notify.SubjectAttack + "*",
		InactiveThreshold: 5 * time.Minute, MaxAckPending: 10 * natsBatch,
	}
	if name != "" {
		cfg.InactiveThreshold = 30 * 24 * time.Hour
	}
	if o.Choice("from", "start", "now") == "now" {
		cfg.DeliverPolicy = jetstream.DeliverNewPolicy
	}
	if o.Bool("all", false) {
		cfg.FilterSubject = "mlids.predictions.>"
	}
	if err := o.Err(); err != nil {
		return nil, err
	}
	address := *u
	address.RawQuery = ""
	conn, err := nats.Connect(address.String(), nats.Name("mlids client"), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.ReconnectWait(500*time.Millisecond), nats.Timeout(5*time.Second))
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrQueue, u.Redacted(), err)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("%w: %w", ErrQueue, err)
	}
	return &NATS{conn: conn, js: js, cfg: cfg}, nil
}

// Close ends the connection.
func (n *NATS) Close() error {
	n.conn.Close()
	return nil
}

// Receive waits for messages, at most a hundred; after 5 s without one it returns none.
func (n *NATS) Receive(ctx context.Context) ([]notify.Delivery, error) {
	got, err := n.receive(ctx)
	if err != nil {
		n.consumer = nil // a server that began anew does not know it
		return got, fmt.Errorf("nats: %w", err)
	}
	return got, nil
}

func (n *NATS) receive(ctx context.Context) ([]notify.Delivery, error) {
	if err := n.open(ctx); err != nil {
		return nil, err
	}
	batch, err := n.consumer.FetchNoWait(natsBatch)
	if err != nil {
		return nil, err
	}
	var got []notify.Delivery
	for m := range batch.Messages() {
		got = append(got, delivery(m))
	}
	if len(got) == 0 && ctx.Err() == nil {
		return n.next(ctx)
	}
	return got, nil
}

// next waits for one message.
func (n *NATS) next(ctx context.Context) (got []notify.Delivery, err error) {
	ctx, stop := context.WithTimeout(ctx, natsWait)
	defer stop()
	batch, err := n.consumer.Fetch(1, jetstream.FetchContext(ctx))
	if err == nil {
		for m := range batch.Messages() {
			got = append(got, delivery(m))
		}
		err = batch.Error()
	}
	for _, none := range []error{nats.ErrTimeout, jetstream.ErrNoMessages, context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, none) {
			return got, nil
		}
	}
	return got, err
}

// open makes the consumer, or finds the one of that name.
func (n *NATS) open(ctx context.Context) error {
	if n.consumer != nil {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, natsWait)
	defer stop()
	cfg := n.cfg
	if cfg.Durable != "" { // where a reader began is settled, and the server refuses another beginning
		switch known, err := n.js.Consumer(ctx, natsStream, cfg.Durable); {
		case err == nil:
			began := known.CachedInfo().Config
			cfg.DeliverPolicy, cfg.OptStartSeq, cfg.OptStartTime = began.DeliverPolicy, began.OptStartSeq, began.OptStartTime
		case !errors.Is(err, jetstream.ErrConsumerNotFound):
			return err
		}
	}
	consumer, err := n.js.CreateOrUpdateConsumer(ctx, natsStream, cfg)
	if err != nil {
		return err
	}
	n.consumer = consumer
	return nil
}

// delivery reads a message. Deleting it moves the reader's place on; the queue keeps it for others.
func delivery(m jetstream.Msg) notify.Delivery {
	d := notify.Delivery{Delete: func(context.Context) error { return m.Ack() }}
	d.Message, d.Err = notify.Decode(m.Headers(), m.Data())
	if d.Err != nil {
		d.Message = &notify.Message{Body: m.Data()}
	}
	return d
}
