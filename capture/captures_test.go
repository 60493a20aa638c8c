package capture

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"mlids"
	"mlids/internal/testdata"
)

// golden has, per capture, what its frames are: the packets and fragments as tcpdump 4.99.3 counts them.
const golden = "testdata/captures.csv"

// summary is the line of a capture in the golden file.
func summary(t *testing.T, name, path string) []string {
	t.Helper()
	outer, inner := countersOf(t, path, DecoderConfig{}), countersOf(t, path, DecoderConfig{Decapsulate: true, Checksums: true})
	if outer.Packets != inner.Packets || outer.Decoded != inner.Decoded {
		t.Errorf("%s: decapsulation changes the counts", name)
	}
	ignored := make([]string, 0, 2)
	for _, r := range Reasons() {
		if n := outer.Ignored[r]; n > 0 {
			ignored = append(ignored, fmt.Sprintf("%v=%d", r, n))
		}
	}
	line := []string{name}
	for _, n := range []uint64{outer.Packets, outer.Bytes, outer.Decoded, outer.Fragments, outer.BadLength, inner.BadSum, inner.Tunnelled} {
		line = append(line, strconv.FormatUint(n, 10))
	}
	return append(line, strings.Join(ignored, " "))
}

func countersOf(t *testing.T, path string, cfg DecoderConfig) Counters {
	t.Helper()
	src, err := Open(path, FileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dec := NewDecoder(cfg)
	if err := Run(t.Context(), src, dec, func(*mlids.Packet) error { return nil }); err != nil {
		t.Errorf("%s: %v", path, err)
	}
	return dec.Counters()
}

// Every capture is read to its end, and each of its frames is what it was when the golden file was checked.
func TestCaptures(t *testing.T) {
	root := testdata.Path(t, "pcap")
	raw, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range want[1:] {
		got := summary(t, line[0], filepath.Join(root, filepath.FromSlash(line[0])))
		if g, w := strings.Join(got, ","), strings.Join(line, ","); g != w {
			t.Errorf("\ngot  %s\nwant %s", g, w)
		}
	}
}

// Prefixes of captures give ever more packets and never anything but a clean end or ErrTruncated.
func TestCapturesTruncatedAnywhere(t *testing.T) {
	root := testdata.Path(t, "pcap")
	buffer := make([]byte, blockSize)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".csv") {
			return err
		}
		file, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for cut := range file[:min(len(file), 2000)] {
			dec := NewDecoder(DecoderConfig{Decapsulate: true, Checksums: true})
			err := readPrefix(t.Context(), file[:cut], dec, buffer)
			if err != nil && !errors.Is(err, ErrTruncated) {
				t.Errorf("%s cut at %d: %v", path, cut, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func readPrefix(ctx context.Context, file []byte, dec *Decoder, buffer []byte) error {
	src := NewFile("x", bytes.NewReader(file))
	src.b.buf = buffer
	return Run(ctx, src, dec, func(p *mlids.Packet) error {
		if len(p.Payload) > int(p.PayloadLen) {
			return fmt.Errorf("%d captured of %d bytes of payload", len(p.Payload), p.PayloadLen)
		}
		return nil
	})
}
