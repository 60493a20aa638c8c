// Package notify takes predictions outside, and loses none.
//
//	verdict → Message → stream (durable) → one consumer per way out: filter → Sink, again until it is taken → dead letters
//
// Below this package is a leaf for each service; only leaves import the services' libraries.
package notify

import (
	"context"
	"errors"
	"fmt"

	"mlids"
)

// Kind tells what a message is about.
type Kind string

// The kinds of messages.
const (
	Prediction Kind = "prediction" // a row and what a model said of it
	Action     Kind = "action"     // what was done about attacks: a block made or lifted
)

// Message is one notification. Receivers know it again by Alert.ID.
type Message struct {
	Kind  Kind
	Alert mlids.Alert

	// Body is, of a prediction, the row as one-row Pandas split JSON, the last column "prediction" (1 attack, 0 benign); of an
	// action, a JSON object.
	Body []byte
}

// Sink is a way out: a topic, a queue, a webhook.
type Sink interface {
	// Send delivers messages, as many as the sink takes at a time (Batch) or fewer. It returns nil when all were taken,
	// a *PartialError when some were, and another error when none was. An error that wraps ErrPermanent is not tried again.
	Send(ctx context.Context, batch []*Message) error
	// Batch is how many messages Send takes at most.
	Batch() int
	// Close lets go of connections. Nothing is sent after it.
	Close() error
}

// ErrPermanent marks messages that their receiver will never take; they become dead letters at once.
var ErrPermanent = errors.New("refused for good")

// PartialError is returned by a Sink that delivered only some messages of a batch.
type PartialError struct {
	Errs []error // one per message of the batch; nil for those delivered
}

// Error counts the failures and gives the first.
func (e *PartialError) Error() string {
	failed, first := 0, error(nil)
	for _, err := range e.Errs {
		if err != nil {
			failed++
			if first == nil {
				first = err
			}
		}
	}
	return fmt.Sprintf("%d of %d messages not delivered: %v", failed, len(e.Errs), first)
}

// Unwrap returns the failures.
func (e *PartialError) Unwrap() []error {
	var errs []error
	for _, err := range e.Errs {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}
