package detect_test

import (
	"reflect"
	"testing"
	"time"

	"mlids"
	"mlids/detect"
	"mlids/internal/testdata"
)

// SYNs without answer are seen while they still wait for one, each once, and again when they have ended.
func TestFloodIsSeenBeforeItsFlowsEnd(t *testing.T) {
	open, final := 0, 0
	sensor, err := detect.New(detect.Config{Models: kdd(t), Interim: 100 * time.Millisecond}, func(f *detect.Finding) error {
		switch {
		case !f.Verdict.Attack:
		case f.Reason == mlids.EndNone:
			open++
		default:
			final++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const n = 1000
	for i := range n {
		now := int64(i) * int64(time.Millisecond)
		syn := mlids.Packet{
			Time: now, Src: mlids.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), Dst: mlids.AddrFrom4([4]byte{10, 0, 0, 2}),
			SrcPort: uint16(1024 + i), DstPort: 80, Proto: mlids.ProtoTCP, Flags: mlids.SYN, Header: 20, IPLen: 40,
		}
		if err := sensor.Add(&syn); err != nil {
			t.Fatal(err)
		}
		if i%50 == 49 {
			if err := sensor.Tick(now); err != nil {
				t.Fatal(err)
			}
		}
	}
	if open < n/3 || final > 0 {
		t.Errorf("after a second: %d interim and %d final verdicts of attack, want %d and none", open, final, n/3)
	}
	for i := range 20 {
		if err := sensor.Tick(int64(time.Second) * int64(2+i)); err != nil {
			t.Fatal(err)
		}
	}
	if open > n || final < n*9/10 {
		t.Errorf("in the end: %d interim verdicts on %d connections, %d final ones", open, n, final)
	}
}

// Interim judgement changes no final verdict.
func TestInterimLeavesFinalsAlone(t *testing.T) {
	for _, name := range []string{"wikipedia.pcap", "bruteforce.pcap"} {
		path := testdata.Path(t, "pcap", "zeek-btest", name)
		without, _ := finals(t, path, 0)
		with, open := finals(t, path, time.Second)
		if open == 0 {
			t.Errorf("%s: no interim verdict", name)
		}
		if len(without) == 0 || len(without) != len(with) {
			t.Fatalf("%s: %d verdicts without interim ones, %d with", name, len(without), len(with))
		}
		for i := range without {
			if !reflect.DeepEqual(without[i], with[i]) {
				t.Errorf("%s: %+v without interim verdicts, %+v with", name, without[i], with[i])
				break
			}
		}
	}
}

func finals(t *testing.T, path string, every time.Duration) (finals []detect.Finding, open int) {
	t.Helper()
	sensor, err := detect.New(detect.Config{Models: builtIn(t), Interim: every}, func(f *detect.Finding) error {
		if f.Reason == mlids.EndNone {
			open++
		} else {
			finals = append(finals, *f)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ticked := int64(0)
	feed(t, path, func(p *mlids.Packet) error {
		if p.Time-ticked >= int64(100*time.Millisecond) {
			ticked = p.Time
			if err := sensor.Tick(p.Time); err != nil {
				return err
			}
		}
		return sensor.Add(p)
	})
	if err := sensor.Flush(); err != nil {
		t.Fatal(err)
	}
	return finals, open
}
