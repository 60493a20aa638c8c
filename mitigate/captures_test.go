package mitigate

import (
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mlids"
	"mlids/capture"
	"mlids/detect"
	"mlids/internal/testdata"
	"mlids/model"
	"mlids/models"
)

// proposals are what the default policy would do about a capture, by the packets' own time, with both built-in models.
func proposals(t *testing.T, judges []*model.Judge, path string) (made []proposal, packets int) {
	t.Helper()
	file, err := capture.Open(path, capture.FileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	e := testEngine(Policy{})
	now := time.Time{}
	sensor, err := detect.New(detect.Config{Models: judges, Linger: 2 * time.Second, Interim: 250 * time.Millisecond}, func(f *detect.Finding) error {
		a := f.Alert()
		if p, ok := e.observe(now, &a); ok {
			made = append(made, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	next := int64(0)
	err = capture.Run(t.Context(), file, capture.NewDecoder(capture.DecoderConfig{}), func(p *mlids.Packet) error {
		packets++
		now = time.Unix(0, p.Time)
		if err := sensor.Add(p); err != nil || p.Time < next {
			return err
		}
		next = p.Time + int64(100*time.Millisecond)
		return sensor.Tick(p.Time)
	})
	if err != nil && !errors.Is(err, capture.ErrTruncated) {
		t.Fatalf("%s: %v", path, err)
	}
	if err := sensor.Flush(); err != nil {
		t.Fatal(err)
	}
	return made, packets
}

// The default policy blocks nobody in recorded benign traffic, and somebody in recorded floods and scans: in the floods of tens of
// thousands of flows when MLIDS_FULL is set.
func TestRecordedTraffic(t *testing.T) {
	t.Parallel()
	labels := testdata.Path(t, "pcap", "LABELS.csv")
	file, err := os.Open(labels)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := models.Load()
	if err != nil {
		t.Fatal(err)
	}
	var judges []*model.Judge
	for _, m := range loaded {
		judges = append(judges, model.NewJudge(m))
	}
	blocked, benign := 0, 0
	for _, row := range rows[1:] {
		if strings.HasPrefix(row[0], "stopddos/") && os.Getenv("MLIDS_FULL") == "" {
			continue
		}
		made, packets := proposals(t, judges, filepath.Join(filepath.Dir(labels), filepath.FromSlash(row[0])))
		t.Logf("%s (%s, %s): %d packets, %d blocks", row[0], row[1], row[2], packets, len(made))
		if row[1] == "attack" {
			blocked += min(len(made), 1)
			continue
		}
		benign++
		for _, p := range made {
			t.Errorf("%s is %s, but would be blocked: %s %v: %s", row[0], row[1], p.block.Kind, p.block.Match, p.block.Reason)
		}
	}
	if blocked < 3 || benign < 10 {
		t.Errorf("%d attacks of %d captures blocked, %d benign", blocked, len(rows)-1, benign)
	}
}
