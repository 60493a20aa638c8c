package sqs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"mlids/notify"
	"mlids/notify/awsconf"
)

// wait is how long the service holds a request while the queue is empty; its longest.
const wait = 20 * time.Second

// Receiver takes messages from a queue.
type Receiver struct {
	cfg Config
	api API
}

// NewReceiver makes a receiver; no request is made before Receive.
func NewReceiver(cfg Config, deps Deps) (*Receiver, error) {
	cfg.AWS.Timeout = max(cfg.AWS.Timeout, wait+10*time.Second) // an empty queue is no failure
	api, err := open(cfg, deps.API)
	if err != nil {
		return nil, err
	}
	return &Receiver{cfg, api}, nil
}

// Receive waits for messages, at most ten; after 20 s without one it returns none. A message that is not deleted comes
// again when the queue's visibility time-out is over.
func (r *Receiver) Receive(ctx context.Context) ([]notify.Delivery, error) {
	out, err := r.api.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &r.cfg.Queue, MaxNumberOfMessages: awsconf.BatchLimit, WaitTimeSeconds: int32(wait / time.Second),
		MessageAttributeNames: []string{"All"},
	})
	if err != nil {
		return nil, fmt.Errorf("sqs: %w", err)
	}
	deliveries := make([]notify.Delivery, len(out.Messages))
	for i := range out.Messages {
		deliveries[i] = r.delivery(&out.Messages[i])
	}
	return deliveries, nil
}

// Close does nothing: connections end when they are idle.
func (r *Receiver) Close() error { return nil }

func (r *Receiver) delivery(m *types.Message) notify.Delivery {
	d := notify.Delivery{Delete: func(ctx context.Context) error {
		_, err := r.api.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &r.cfg.Queue, ReceiptHandle: m.ReceiptHandle})
		if err != nil {
			return fmt.Errorf("sqs: delete: %w", err)
		}
		return nil
	}}
	attributes := map[string]string{}
	for name, v := range m.MessageAttributes {
		attributes[name] = aws.ToString(v.StringValue)
	}
	body := []byte(aws.ToString(m.Body))
	if inner, ok := unwrap(body, attributes); ok {
		body = inner
	}
	d.Message, d.Err = notify.Parse(func(name string) string { return attributes[name] }, body)
	if d.Err != nil {
		d.Message = &notify.Message{Body: body}
	}
	return d
}

// unwrap takes a message out of the envelope in which SNS puts it unless the subscription asks for raw delivery.
func unwrap(body []byte, attributes map[string]string) ([]byte, bool) {
	var envelope struct {
		Type       string
		Message    string
		Attributes map[string]struct{ Value string } `json:"MessageAttributes"`
	}
	if json.Unmarshal(body, &envelope) != nil || envelope.Type != "Notification" {
		return nil, false
	}
	for name, v := range envelope.Attributes {
		attributes[name] = v.Value
	}
	return []byte(envelope.Message), true
}
