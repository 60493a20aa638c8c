package mitigate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ErrState is returned for a state file that cannot be read. It is left as it is: what it says is in force.
var ErrState = errors.New("not a state file of blocks")

// maxState bounds the state file, in bytes: some hundred for each block and offender.
const maxState = 64 << 20

// stateFile is the ledger on the disk.
type stateFile struct {
	Version   int             `json:"version"`
	Blocks    []stateBlock    `json:"blocks"`
	Offenders []stateOffender `json:"offenders"`
}

type stateBlock struct {
	Kind   Kind       `json:"kind"`
	Match  *MatchText `json:"match"`
	Rate   uint32     `json:"rate,omitempty"`
	ToPort uint32     `json:"to_port,omitempty"`
	Since  time.Time  `json:"since"`
	Until  time.Time  `json:"until"`
	Strike int        `json:"strike"`
	By     string     `json:"by"`
	Class  string     `json:"class,omitempty"`
	Model  string     `json:"model,omitempty"`
	Reason string     `json:"reason"`
	Forged bool       `json:"forged,omitempty"`
}

type stateOffender struct {
	Match   *MatchText `json:"match"`
	Strikes int        `json:"strikes"`
	Until   time.Time  `json:"until"`
}

// state is the ledger as load reads it. Blocks of a dry run are not kept.
func (l *ledger) state() ([]byte, error) {
	s := stateFile{Version: 1, Blocks: []stateBlock{}, Offenders: []stateOffender{}}
	for _, a := range l.list() {
		if a.DryRun {
			continue
		}
		s.Blocks = append(s.Blocks, stateBlock{
			a.Kind, a.Match.Text(), a.Rate, a.ToPort, a.Since.UTC(), a.Until.UTC(), a.Strike, a.By, a.Class, a.Model, a.Reason, a.Forged,
		})
	}
	for m, o := range l.history {
		s.Offenders = append(s.Offenders, stateOffender{m.Text(), o.strikes, o.until.UTC()})
	}
	return json.Marshal(s)
}

// replaceFile writes a file so that after a crash either the old or the new one is there.
func replaceFile(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // gone already when all went well
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// load reads what state gave. A file that does not exist is an empty one.
func (l *ledger) load(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("state of blocks: %w", err)
	}
	defer file.Close()
	if err := l.read(io.LimitReader(file, maxState)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (l *ledger) read(r io.Reader) error {
	var s stateFile
	if err := json.NewDecoder(r).Decode(&s); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	if s.Version != 1 {
		return fmt.Errorf("%w: version %d, want 1", ErrState, s.Version)
	}
	for i, b := range s.Blocks {
		if b.Match == nil {
			return fmt.Errorf("%w: block %d has no match", ErrState, i)
		}
		m := b.Match.Match()
		block := Block{ID: idOf(m), Kind: b.Kind, Match: m, Rate: b.Rate, ToPort: b.ToPort, Until: b.Until, Reason: b.Reason}
		if err := checkBlock(&block); err != nil {
			return fmt.Errorf("%w: block %d: %w", ErrState, i, err)
		}
		l.put(&Active{
			Block: block,
			Since: b.Since, Strike: b.Strike, By: b.By, Class: b.Class, Model: b.Model, Forged: b.Forged,
		})
	}
	for i, o := range s.Offenders {
		if o.Match == nil {
			return fmt.Errorf("%w: offender %d has no match", ErrState, i)
		}
		l.history[o.Match.Match()] = offender{o.Strikes, o.Until}
	}
	return nil
}
