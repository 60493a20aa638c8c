package notify

import "context"

// Delivery is a message that a queue handed out.
type Delivery struct {
	*Message
	// Err says why the message could not be read; Message then has the body alone.
	Err error
	// Delete takes the message off the queue; left alone it comes again.
	Delete func(ctx context.Context) error
}
