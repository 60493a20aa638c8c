package capture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strconv"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// byteOrder is both of binary's interfaces.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// pcapFile is a capture in the classic format with these frames, one per second from second 10 on, 5 units into it.
func pcapFile(order byteOrder, magic uint32, link LinkType, frames ...[]byte) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(order.AppendUint16(b, 2), 4)
	for _, v := range []uint32{0, 0, 65535, uint32(link)} {
		b = order.AppendUint32(b, v)
	}
	for i, f := range frames {
		for _, v := range []uint32{uint32(10 + i), 5, uint32(len(f)), uint32(len(f))} {
			b = order.AppendUint32(b, v)
		}
		if magic == 0xa1b2cd34 {
			b = append(b, make([]byte, 8)...)
		}
		b = append(b, f...)
	}
	return b
}

// small is a little-endian capture of three frames.
func small() []byte {
	return pcapFile(binary.LittleEndian, 0xa1b2c3d4, LinkEthernet, []byte("first"), nil, bytes.Repeat([]byte("third"), 20))
}

// collect reads all frames of a source and copies them.
func collect(ctx context.Context, src Source) ([]Frame, error) {
	var all []Frame
	for {
		var f Frame
		if err := src.Next(ctx, &f); err != nil {
			return all, endOf(err)
		}
		f.Data = bytes.Clone(f.Data)
		all = append(all, f)
	}
}

// listed is a Source of frames in memory.
type listed struct{ frames []Frame }

func (l *listed) Next(_ context.Context, f *Frame) error {
	if len(l.frames) == 0 {
		return io.EOF
	}
	*f, l.frames = l.frames[0], l.frames[1:]
	return nil
}

func (l *listed) Close() error { return nil }

func TestPcapMagicNumbers(t *testing.T) {
	tests := []struct {
		name  string
		order byteOrder
		magic uint32
		unit  int64
	}{
		{"µs little", binary.LittleEndian, 0xa1b2c3d4, 1000},
		{"µs big", binary.BigEndian, 0xa1b2c3d4, 1000},
		{"ns little", binary.LittleEndian, 0xa1b23c4d, 1},
		{"ns big", binary.BigEndian, 0xa1b23c4d, 1},
		{"modified little", binary.LittleEndian, 0xa1b2cd34, 1000},
		{"modified big", binary.BigEndian, 0xa1b2cd34, 1000},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			file := pcapFile(c.order, c.magic, LinkSLL, []byte("ab"), nil, []byte("cde"))
			frames, err := collect(t.Context(), NewFile("x.pcap", bytes.NewReader(file)))
			if err != nil || len(frames) != 3 {
				t.Fatalf("%d frames, %v", len(frames), err)
			}
			last := frames[2]
			if string(last.Data) != "cde" || last.WireLen != 3 || last.Link != LinkSLL || last.Time != 12*second+5*c.unit {
				t.Errorf("got %+v", last)
			}
		})
	}
}

func TestCompressedFiles(t *testing.T) {
	var gz, zs bytes.Buffer
	g := gzip.NewWriter(&gz)
	_, _ = g.Write(small())
	_ = g.Close()
	z, err := zstd.NewWriter(&zs)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = z.Write(small())
	_ = z.Close()
	for name, data := range map[string][]byte{"gzip": gz.Bytes(), "zstd": zs.Bytes()} {
		t.Run(name, func(t *testing.T) {
			for cut := range data {
				frames, err := collect(t.Context(), NewFile("x.pcap", bytes.NewReader(data[:cut])))
				if !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrFormat) || len(frames) > 3 {
					t.Fatalf("%d of %d bytes: %d frames, %v", cut, len(data), len(frames), err)
				}
			}
			file := NewFile("x.pcap", bytes.NewReader(data))
			if frames, err := collect(t.Context(), file); err != nil || len(frames) != 3 {
				t.Errorf("%d frames, %v", len(frames), err)
			}
			if err := file.Close(); err != nil {
				t.Error(err)
			}
			broken := bytes.Clone(data)
			broken[len(broken)/2] ^= 0xff
			if _, err := collect(t.Context(), NewFile("x.pcap", bytes.NewReader(broken))); err == nil {
				t.Error("broken data went unnoticed")
			}
		})
	}
}

// A file cut at any byte gives the packets that it has whole, and says that it was cut unless that was between packets.
func TestPcapTruncatedAnywhere(t *testing.T) {
	file := small()
	ends := []int{24, 24 + 16 + 5, 24 + 16 + 5 + 16, len(file)}
	for cut := range len(file) + 1 {
		frames, err := collect(t.Context(), NewFile("x.pcap", bytes.NewReader(file[:cut])))
		whole, clean := 0, false
		for i, end := range ends {
			if cut >= end {
				whole = i
			}
			clean = clean || cut == end
		}
		if len(frames) != whole || clean != (err == nil) || !clean && !errors.Is(err, ErrTruncated) {
			t.Errorf("cut at %d: %d frames, want %d; error %v", cut, len(frames), whole, err)
		}
	}
}

func TestPcapErrors(t *testing.T) {
	le := binary.LittleEndian
	set := func(at int, v uint32) []byte {
		file := small()
		le.PutUint32(file[at:], v)
		return file
	}
	tests := []struct {
		name string
		file []byte
		want error
		text string
	}{
		{"no capture", []byte("hello, world"), ErrFormat, "x.pcap: packet 1: offset 0: magic number 68656c6c: not a pcap or pcapng capture"},
		{"empty", nil, ErrTruncated, "x.pcap: packet 1: offset 0: the file is empty: truncated capture"},
		{"version", set(4, 0x0004_0003), ErrFormat, "x.pcap: packet 1: offset 4: version 3.4, readable is 2.4: not a pcap or pcapng capture"},
		{"4 GB", set(24+8, 0xffffffff), ErrLength, "x.pcap: packet 1: offset 24: record of 4294967295 bytes, at most 262144 are possible: length out of bounds"},
		{"cut", small()[:60], ErrTruncated, "x.pcap: packet 2: offset 45: record header ends after 15 of 16 bytes: truncated capture"},
		{"zip", []byte{0x1f, 0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, ErrCorrupt, ""},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			src := NewFile("x.pcap", bytes.NewReader(c.file))
			_, err := collect(t.Context(), src)
			if !errors.Is(err, c.want) || c.text != "" && err.Error() != c.text {
				t.Errorf("got  %v\nwant %s", err, c.text)
			}
			if again := src.Next(t.Context(), &Frame{}); !errors.Is(again, err) {
				t.Errorf("a second Next: %v", again)
			}
		})
	}
}

// The largest frames fit, over readers that give a few bytes at a time, too.
func TestLargeFramesAndShortReads(t *testing.T) {
	var frames [][]byte
	for i := range 12 {
		frames = append(frames, bytes.Repeat([]byte{byte(i)}, MaxFrame-i))
	}
	file := pcapFile(binary.BigEndian, 0xa1b2c3d4, LinkEthernet, frames...)
	for _, step := range []int{1000, 65536, 1 << 30} {
		t.Run(strconv.Itoa(step), func(t *testing.T) {
			got, err := collect(t.Context(), NewFile("x.pcap", &stepReader{bytes.NewReader(file), step}))
			if err != nil || len(got) != len(frames) {
				t.Fatalf("%d frames, %v", len(got), err)
			}
			for i := range got {
				if !bytes.Equal(got[i].Data, frames[i]) {
					t.Errorf("frame %d differs", i)
				}
			}
		})
	}
	if _, err := collect(t.Context(), NewFile("x.pcap", lazyReader{})); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

// stepReader gives at most step bytes at once.
type stepReader struct {
	r    io.Reader
	step int
}

func (s *stepReader) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), s.step)]) }

// lazyReader gives neither bytes nor an error.
type lazyReader struct{}

func (lazyReader) Read([]byte) (int, error) { return 0, nil }
