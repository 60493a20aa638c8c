package capture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// both reads a capture directly and ahead, and wants the same frames and the same error.
func both(t *testing.T, open func() io.Reader) {
	t.Helper()
	want, wantErr := collect(t.Context(), NewFile("x.pcap", open()))
	src := newFile("x.pcap", &input{r: open()})
	src.ahead = true
	got, err := collect(t.Context(), src)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%d frames that differ from the %d read directly", len(got), len(want))
	}
	if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
		t.Errorf("error %v, want %v", err, wantErr)
	}
	if err := src.Close(); err != nil {
		t.Error(err)
	}
}

func TestAheadGivesTheSame(t *testing.T) {
	var many, large [][]byte
	for i := range 3000 {
		many = append(many, bytes.Repeat([]byte{byte(i)}, i%1500))
	}
	for i := range 12 {
		large = append(large, bytes.Repeat([]byte{byte(i)}, MaxFrame-i))
	}
	ng := little().section().face(LinkEthernet, 0)
	for i := range 16 {
		ng.enhanced(0, uint64(i), MaxFrame, large[i%12])
		ng.block(0xbad, make([]byte, 3*blockSize/2))
	}
	for name, file := range map[string][]byte{
		"many":   pcapFile(binary.LittleEndian, 0xa1b2c3d4, LinkEthernet, many...),
		"large":  pcapFile(binary.BigEndian, 0xa1b2c3d4, LinkEthernet, large...),
		"pcapng": ng.out,
		"4 GB":   append(pcapFile(binary.LittleEndian, 0xa1b2c3d4, LinkEthernet, many...), bytes.Repeat([]byte{255}, 100)...),
	} {
		t.Run(name, func(t *testing.T) {
			for _, step := range []int{4093, 65536, 1 << 30} {
				both(t, func() io.Reader { return &stepReader{bytes.NewReader(file), step} })
				both(t, func() io.Reader { return &stepReader{bytes.NewReader(file[:len(file)-7]), step} })
			}
			var gz bytes.Buffer
			w := gzip.NewWriter(&gz)
			if _, err := w.Write(file); err != nil || w.Close() != nil {
				t.Fatal(err)
			}
			both(t, func() io.Reader { return bytes.NewReader(gz.Bytes()) })
			both(t, func() io.Reader { return bytes.NewReader(gz.Bytes()[:gz.Len()/2]) })
		})
	}
}

// A file that is closed in the middle leaves no goroutine behind.
func TestAheadEndsWithClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.pcap")
	var frames [][]byte
	for range 30 {
		frames = append(frames, make([]byte, MaxFrame))
	}
	if err := os.WriteFile(path, pcapFile(binary.LittleEndian, 0xa1b2c3d4, LinkEthernet, frames...), 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := Open(path, FileConfig{Ahead: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Next(t.Context(), new(Frame)); err != nil {
		t.Fatal(err)
	}
	if err := src.Close(); err != nil {
		t.Error(err)
	}
	<-src.b.ahead.done
}

// Waiting for a file that grows ends with the caller's context, also where another goroutine does the waiting.
func TestAheadWaitsAsLongAsItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.pcap")
	if err := os.WriteFile(path, small(), 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := Open(path, FileConfig{Ahead: true, Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var f Frame
	for range 3 {
		if err := src.Next(t.Context(), &f); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := src.Next(ctx, &f); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
