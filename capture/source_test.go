package capture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"mlids"
)

func TestRunHandsOverAndStops(t *testing.T) {
	frame := ethernetFrame(etherIPv4, ipv4Packet(mlids.ProtoUDP, udpPacket(1, 2, []byte("hi"))))
	file := pcapFile(binary.LittleEndian, 0xa1b2c3d4, LinkEthernet, frame, ethernetFrame(etherARP, nil), frame)
	seen := 0
	dec := NewDecoder(DecoderConfig{})
	err := Run(t.Context(), NewFile("x", bytes.NewReader(file)), dec, func(p *mlids.Packet) error {
		seen++
		return nil
	})
	if c := dec.Counters(); err != nil || seen != 2 || c.Packets != 3 || c.Ignored[ARP] != 1 || c.Decoded != 2 {
		t.Errorf("%d packets, %+v, %v", seen, c, err)
	}
	err = Run(t.Context(), NewFile("x", bytes.NewReader(file)), dec, func(*mlids.Packet) error { return errTest })
	if !errors.Is(err, errTest) {
		t.Errorf("error of the reader: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Run(ctx, NewFile("x", bytes.NewReader(file)), dec, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

var errTest = errors.New("test")

func TestOpenRefusals(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "none.pcap"), FileConfig{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Open(t.TempDir(), FileConfig{}); !errors.Is(err, ErrFormat) {
		t.Errorf("directory: %v", err)
	}
}

// A file that grows is read on, byte for byte as it comes, and costs no busy waiting.
func TestFollowGrowingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.pcap")
	w, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	file := small()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		src, err := Open(path, FileConfig{Follow: true})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for _, b := range file {
				time.Sleep(followPeriod)
				_, _ = w.Write([]byte{b})
			}
			time.Sleep(time.Hour)
			cancel()
		}()
		frames, err := collect(ctx, src)
		if !errors.Is(err, context.Canceled) || len(frames) != 3 {
			t.Errorf("%d frames, %v", len(frames), err)
		}
		if done, _ := src.Progress(); done != int64(len(file)) {
			t.Errorf("read %d of %d bytes", done, len(file))
		}
		if err := errors.Join(src.Close(), src.Close()); err != nil {
			t.Error(err)
		}
	})
}

// Standard input is read as it comes; waiting for it ends with the context.
func TestStandardInput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	stdin := os.Stdin
	os.Stdin = r
	defer func() { os.Stdin = stdin }()
	src, err := Open("-", FileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if _, err := w.Write(small()); err != nil {
		t.Fatal(err)
	}
	var f Frame
	for range 3 {
		if err := src.Next(t.Context(), &f); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := src.Next(ctx, &f); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("empty pipe: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestReplayKeepsThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := Replay(NewFile("x", bytes.NewReader(small())), 4)
		began := time.Now()
		var f Frame
		for i, want := range []time.Duration{0, 250 * time.Millisecond, 500 * time.Millisecond} {
			if err := src.Next(t.Context(), &f); err != nil {
				t.Fatal(err)
			}
			if got := time.Since(began); got != want {
				t.Errorf("frame %d after %v, want %v", i, got, want)
			}
		}
		if err := src.Next(t.Context(), &f); !errors.Is(err, io.EOF) {
			t.Errorf("at the end: %v", err)
		}
	})
}

func TestReplayStopsAndTakesTimeRunningBackwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := pcapFile(binary.LittleEndian, 0xa1b2c3d4, LinkRaw, nil, nil, nil)
		binary.LittleEndian.PutUint32(file[24+16:], 3) // the second frame is older than the first
		src := Replay(NewFile("x", bytes.NewReader(file)), 1)
		began := time.Now()
		var f Frame
		for range 2 {
			if err := src.Next(t.Context(), &f); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := src.Next(ctx, &f)
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != time.Second {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

func TestReplayOfOddSpeeds(t *testing.T) {
	for _, speed := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		began := time.Now()
		if frames, err := collect(t.Context(), Replay(NewFile("x", bytes.NewReader(small())), speed)); err != nil || len(frames) != 3 {
			t.Errorf("speed %v: %d frames, %v", speed, len(frames), err)
		}
		if took := time.Since(began); took > 900*time.Millisecond {
			t.Errorf("speed %v: waited %v", speed, took)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		if frames, err := collect(ctx, Replay(NewFile("x", bytes.NewReader(small())), 1e-300)); !errors.Is(err, context.DeadlineExceeded) || len(frames) != 1 {
			t.Errorf("hardly moving: %d frames, %v", len(frames), err)
		}
	})
}
