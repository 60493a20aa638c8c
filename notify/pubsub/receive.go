package pubsub

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"cloud.google.com/go/pubsub/v2"

	"mlids/notify"
)

// Receiver takes messages from a subscription.
type Receiver struct {
	client     *pubsub.Client
	subscriber *pubsub.Subscriber

	start    sync.Once
	stop     context.CancelFunc
	messages chan *pubsub.Message // sent and closed by pull alone
	err      error                // why messages was closed
}

// NewReceiver makes a receiver; nothing is asked of the service before Receive.
func NewReceiver(cfg Config, _ Deps) (*Receiver, error) {
	client, err := open(cfg)
	if err != nil {
		return nil, err
	}
	s := client.Subscriber(cfg.Name)
	s.ReceiveSettings.MaxOutstandingMessages = max(cfg.Batch, 1)
	return &Receiver{client: client, subscriber: s, messages: make(chan *pubsub.Message)}, nil
}

// Receive waits for a message. One that is not deleted comes again when its time is over.
func (r *Receiver) Receive(ctx context.Context) ([]notify.Delivery, error) {
	r.start.Do(func() {
		var pulling context.Context
		pulling, r.stop = context.WithCancel(context.WithoutCancel(ctx))
		go r.pull(pulling, r.messages)
	})
	select {
	case m, ok := <-r.messages:
		if !ok {
			r.start, r.messages = sync.Once{}, make(chan *pubsub.Message) // who calls again begins anew
			return nil, fmt.Errorf("pubsub: %w", r.err)
		}
		return []notify.Delivery{delivery(m)}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pull hands on what the subscription sends, until it fails for good or ctx ends.
func (r *Receiver) pull(ctx context.Context, to chan<- *pubsub.Message) {
	defer close(to)
	err := r.subscriber.Receive(ctx, func(_ context.Context, m *pubsub.Message) {
		select {
		case to <- m:
		case <-ctx.Done():
			m.Nack()
		}
	})
	if err == nil {
		err = errors.New("the subscription ended")
	}
	r.err = err
}

// Close ends the connection.
func (r *Receiver) Close() error {
	if r.stop != nil {
		r.stop()
	}
	return r.client.Close()
}

func delivery(m *pubsub.Message) notify.Delivery {
	d := notify.Delivery{Delete: func(ctx context.Context) error {
		if _, err := m.AckWithResult().Get(ctx); err != nil {
			return fmt.Errorf("pubsub: delete: %w", err)
		}
		return nil
	}}
	d.Message, d.Err = notify.Parse(func(name string) string { return m.Attributes[name] }, m.Data)
	if d.Err != nil {
		d.Message = &notify.Message{Body: m.Data}
	}
	return d
}
