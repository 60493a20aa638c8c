package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"mlids/alert"
)

// Format is the form in which a way out writes messages.
type Format string

// The formats.
const (
	FormatRow Format = "row" // {"kind", "alert", "row"}: the alert as JSON and the message's body
	FormatEVE Format = "eve" // Suricata's EVE JSON
	FormatECS Format = "ecs" // Elastic Common Schema
)

// ErrFormat marks a format that a way out does not know.
var ErrFormat = errors.New("unknown format")

// Append writes a message in a format and without a newline to dst. Messages without a time get now.
func (f Format) Append(dst []byte, m *Message, now time.Time) ([]byte, error) {
	var text []byte
	var err error
	switch {
	case m.Kind == Action && f != FormatRow:
		text, err = f.action(m, now)
	case f == FormatRow:
		text, err = row(m)
	case f == FormatEVE:
		text, err = alert.EVE(&m.Alert, now)
	case f == FormatECS:
		text, err = alert.ECS(&m.Alert, now)
	default:
		err = fmt.Errorf("%w %q: known are row, eve and ecs", ErrFormat, f)
	}
	return append(dst, text...), err
}

// row is the message as it is.
func row(m *Message) ([]byte, error) {
	text, err := alert.Encode(&m.Alert)
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Kind  Kind            `json:"kind"`
		Alert json.RawMessage `json:"alert"`
		Body  json.RawMessage `json:"row,omitempty"`
	}{m.Kind, text, m.Body})
}

// action tells of a block in the words of a format: an event of a type of our own.
func (f Format) action(m *Message, now time.Time) ([]byte, error) {
	at := m.Alert.Start
	if at.IsZero() {
		at = now
	}
	if f == FormatEVE {
		return json.Marshal(struct {
			Timestamp string          `json:"timestamp"`
			EventType string          `json:"event_type"`
			Action    json.RawMessage `json:"mlids_action"`
		}{at.UTC().Format("2006-01-02T15:04:05.000000-0700"), "mlids_action", m.Body})
	}
	return json.Marshal(struct {
		Timestamp string            `json:"@timestamp"`
		ECS       map[string]string `json:"ecs"`
		Event     map[string]any    `json:"event"`
		ML        map[string]any    `json:"mlids"`
	}{
		at.UTC().Format(time.RFC3339Nano), map[string]string{"version": alert.ECSVersion},
		map[string]any{"kind": "event", "category": []string{"network"}, "type": []string{"denied"}, "module": "mlids", "id": m.Alert.ID},
		map[string]any{"action": json.RawMessage(m.Body)},
	})
}
