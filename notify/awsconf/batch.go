package awsconf

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"mlids/notify"
)

// BatchLimit is how many messages one request to SNS or SQS takes.
const BatchLimit = 10

// Entry is a message as SNS and SQS take it.
type Entry struct {
	Place      int // in the batch given
	Body       string
	Attributes []notify.Attribute
	Group, ID  string // of FIFO topics and queues
}

// DataType is the type of an attribute as the services call it: SNS filters compare numbers of the type Number alone.
func DataType(a notify.Attribute) string {
	if a.Number {
		return "Number"
	}
	return "String"
}

// Size is what counts for the service's limit: body, and names, types and values of the attributes.
func (e *Entry) Size() int {
	n := len(e.Body)
	for _, a := range e.Attributes {
		n += len(a.Name) + len("String") + len(a.Value)
	}
	return n
}

// Entries makes entries of messages. Those that the service can never take have an error at their place in errs.
func Entries(batch []*notify.Message, limit int, errs []error) []Entry {
	entries := make([]Entry, 0, len(batch))
	for i, m := range batch {
		e, err := entry(m)
		if err == nil && e.Size() > limit {
			err = fmt.Errorf("%d bytes with attributes, the service takes %d", e.Size(), limit)
		}
		if err != nil {
			errs[i] = fmt.Errorf("%w: %w", notify.ErrPermanent, err)
			continue
		}
		e.Place = i
		entries = append(entries, e)
	}
	return entries
}

func entry(m *notify.Message) (Entry, error) {
	attributes, err := notify.Attributes(m)
	if err != nil {
		return Entry{}, err
	}
	for i, a := range attributes {
		attributes[i].Value = clean(a.Value)
	}
	e := Entry{Body: clean(string(m.Body)), Attributes: attributes, Group: token(notify.Key(m)), ID: token(m.Alert.ID)}
	if e.Body == "" {
		return e, fmt.Errorf("message %s is empty", m.Alert.ID)
	}
	return e, nil
}

// clean replaces characters that the services refuse: those that XML 1.0 lacks.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// token makes a group or deduplication id: up to 128 letters, digits and punctuation; others are hashed.
func token(s string) string {
	odd := strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
	if len(s) > 0 && len(s) <= 128 && !odd {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// Split cuts entries into requests: up to BatchLimit entries each, up to limit bytes together.
func Split(entries []Entry, limit int) [][]Entry {
	var requests [][]Entry
	start, size := 0, 0
	for i := range entries {
		n := entries[i].Size()
		if i > start && (i-start == BatchLimit || size+n > limit) {
			requests, start, size = append(requests, entries[start:i]), i, 0
		}
		size += n
	}
	if start < len(entries) {
		requests = append(requests, entries[start:])
	}
	return requests
}

// Failure is the service's word on a message that it did not take.
type Failure struct {
	ID, Code, Message string
	SenderFault       bool // the message is wrong, not the service
}

// Settle puts what the service said of each entry of a request at the places of the messages in errs. Ids are the entries'
// numbers. An entry of which nothing is said was not taken.
func Settle(entries []Entry, taken []string, failed []Failure, errs []error) {
	for _, e := range entries {
		errs[e.Place] = errUntold
	}
	place := func(id string) (int, bool) {
		i, err := strconv.Atoi(id)
		if err != nil || i < 0 || i >= len(entries) {
			return 0, false
		}
		return entries[i].Place, true
	}
	for _, id := range taken {
		if i, ok := place(id); ok {
			errs[i] = nil
		}
	}
	for _, f := range failed {
		if i, ok := place(f.ID); ok {
			errs[i] = f.err()
		}
	}
}

// errUntold is the error of messages that an answer leaves out.
var errUntold = errors.New("the answer does not tell whether the message was taken")

func (f Failure) err() error {
	err := fmt.Errorf("%s: %s", f.Code, f.Message)
	if f.SenderFault && f.Code != "ThrottledException" && f.Code != "AuthorizationError" {
		return fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	return err
}

// Refuse puts the error of a whole request at the places of its messages.
func Refuse(entries []Entry, err error, errs []error) {
	for _, e := range entries {
		errs[e.Place] = Classify(err)
	}
}
