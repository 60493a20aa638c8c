package mitigate

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

// What is recorded.
const (
	eventBlock   = "block"   // decided; carried out next
	eventDryRun  = "dry-run" // decided, not carried out
	eventLift    = "lift"    // by hand
	eventExpire  = "expire"  // its time was over
	eventRefuse  = "refuse"  // allow-list or cap
	eventFail    = "fail"    // the network did not do it; it is tried again
	eventRestore = "restore" // after a restart, or because a switch had lost it
	eventUnknown = "unknown" // in the network and in no book: taken back
)

// Record is one line of the audit log and the body of a message of kind action.
type Record struct {
	Time     time.Time  `json:"time"`
	Event    string     `json:"event"`
	ID       string     `json:"id"`
	Kind     Kind       `json:"kind,omitempty"`
	Match    *MatchText `json:"match,omitempty"`
	Rate     uint32     `json:"rate,omitempty"`
	ToPort   uint32     `json:"to_port,omitempty"`
	Until    *time.Time `json:"until,omitempty"`
	Strike   int        `json:"strike,omitempty"`
	By       string     `json:"by,omitempty"`
	Class    string     `json:"class,omitempty"`
	Model    string     `json:"model,omitempty"`
	Enforcer string     `json:"enforcer"`
	Reason   string     `json:"reason"`
	Error    string     `json:"error,omitempty"`
}

// MatchText is a Match as JSON has it.
type MatchText struct {
	Src     *netip.Prefix `json:"src,omitempty"`
	Dst     *netip.Prefix `json:"dst,omitempty"`
	Proto   uint8         `json:"proto,omitempty"`
	SrcPort uint16        `json:"src_port,omitempty"`
	DstPort uint16        `json:"dst_port,omitempty"`
	Switch  uint64        `json:"switch,omitempty"`
	Port    uint32        `json:"port,omitempty"`
}

// Text is m as JSON has it.
func (m Match) Text() *MatchText {
	t := &MatchText{Proto: m.Proto, SrcPort: m.SrcPort, DstPort: m.DstPort, Switch: m.Port.Switch, Port: m.Port.Number}
	if m.Src.IsValid() {
		t.Src = &m.Src
	}
	if m.Dst.IsValid() {
		t.Dst = &m.Dst
	}
	return t
}

// Match is the match that t spells.
func (t *MatchText) Match() Match {
	m := Match{Proto: t.Proto, SrcPort: t.SrcPort, DstPort: t.DstPort, Port: Port{Switch: t.Switch, Number: t.Port}}
	if t.Src != nil {
		m.Src = *t.Src
	}
	if t.Dst != nil {
		m.Dst = *t.Dst
	}
	return m
}

// record makes the record of an event of a block.
func record(now time.Time, event, enforcer string, a *Active) *Record {
	r := &Record{
		Time: now.UTC(), Event: event, ID: a.ID, Kind: a.Kind, Match: a.Match.Text(), Rate: a.Rate, ToPort: a.ToPort, Strike: a.Strike,
		By: a.By, Class: a.Class, Model: a.Model, Enforcer: enforcer, Reason: a.Reason,
	}
	if !a.Until.IsZero() {
		until := a.Until.UTC()
		r.Until = &until
	}
	return r
}

// auditLog is a file to which lines are only ever added. Each is on the disk when append returns.
type auditLog struct{ file *os.File }

func openAudit(path string) (*auditLog, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	return &auditLog{file}, nil
}

func (l *auditLog) append(records ...*Record) error {
	var lines []byte
	for _, r := range records {
		text, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("audit log: %w", err)
		}
		lines = append(append(lines, text...), '\n')
	}
	if _, err := l.file.Write(lines); err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	return nil
}

func (l *auditLog) close() error { return l.file.Close() }
