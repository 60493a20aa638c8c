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

	"mlids"
)

// packetsOf decodes a capture with Run.
func packetsOf(t *testing.T, src Source, cfg DecoderConfig) ([]mlids.Packet, Counters, error) {
	t.Helper()
	var all []mlids.Packet
	dec := NewDecoder(cfg)
	err := Run(t.Context(), src, dec, func(p *mlids.Packet) error {
		all = append(all, *p)
		all[len(all)-1].Payload = bytes.Clone(p.Payload) // what reads ahead must not have overwritten it
		return nil
	})
	return all, dec.Counters(), err
}

// direct hides that a file can be read ahead.
type direct struct{ Source }

// both reads a capture directly and ahead, with and without payloads, and wants the same packets and the same error.
func both(t *testing.T, open func() io.Reader) {
	t.Helper()
	want, wantSeen, wantErr := packetsOf(t, direct{NewFile("x.pcap", open())}, DecoderConfig{})
	for _, headersOnly := range []bool{false, true} {
		src := newFile("x.pcap", &input{r: open()})
		src.mayAhead = true
		got, gotSeen, err := packetsOf(t, src, DecoderConfig{HeadersOnly: headersOnly})
		if headersOnly {
			for i := range want {
				want[i].Payload = nil
			}
		}
		if len(got) != len(want) || gotSeen != wantSeen {
			t.Errorf("%d packets of %+v, want %d of %+v", len(got), gotSeen, len(want), wantSeen)
		}
		for i := range min(len(got), len(want)) {
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Fatalf("packet %d differs", i)
			}
		}
		if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
			t.Errorf("error %v, want %v", err, wantErr)
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
}

// udpFrame is a frame with a payload of this size, and padding behind it.
func udpFrame(n, size, padding int) []byte {
	payload := bytes.Repeat([]byte{byte(n)}, size)
	return append(ethernetFrame(etherIPv4, ipv4Packet(mlids.ProtoUDP, udpPacket(uint16(n), 53, payload))), make([]byte, padding)...)
}

func TestAheadGivesTheSame(t *testing.T) {
	var many, large [][]byte
	for i := range 3000 {
		many = append(many, udpFrame(i, i%1500, 0))
		if i%7 == 0 {
			many = append(many, ethernetFrame(etherARP, make([]byte, 28)))
		}
	}
	for i := range 12 {
		frame := udpFrame(i, 60_000, 0)
		large = append(large, append(frame, make([]byte, MaxFrame-i-len(frame))...))
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
			for _, step := range []int{4093, 1 << 30} {
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

// openAhead opens a file of so many packets to be read ahead.
func openAhead(t *testing.T, packets int, cfg FileConfig) *File {
	t.Helper()
	var frames [][]byte
	for i := range packets {
		frames = append(frames, udpFrame(i, 1000, 0))
	}
	path := filepath.Join(t.TempDir(), "x.pcap")
	if err := os.WriteFile(path, pcapFile(binary.LittleEndian, 0xa1b2c3d4, LinkEthernet, frames...), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Ahead = true
	src, err := Open(path, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	return src
}

// Run ends, and with it what reads ahead, when its caller has had enough.
func TestAheadEndsEarly(t *testing.T) {
	enough := errors.New("enough")
	for want, each := range map[error]func(n int, cancel func()) error{
		enough: func(n int, _ func()) error {
			if n == 1500 {
				return enough
			}
			return nil
		},
		context.Canceled: func(_ int, cancel func()) error { cancel(); return nil },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		n, dec := 0, NewDecoder(DecoderConfig{})
		err := Run(ctx, openAhead(t, 20_000, FileConfig{}), dec, func(*mlids.Packet) error { n++; return each(n, cancel) })
		cancel()
		if !errors.Is(err, want) || errors.Is(want, enough) && err.Error() != "packet 1500: enough" {
			t.Errorf("error %v, want %v", err, want)
		}
		if got := dec.Counters().Decoded; got == 20_000 {
			t.Errorf("the file was read to its end after %v", want)
		}
	}
}

// A file that grows is not read ahead: its packets would wait for a batch to be full.
func TestAheadIsNotForFilesThatGrow(t *testing.T) {
	if openAhead(t, 1, FileConfig{Follow: true}).ahead(true) {
		t.Error("a followed file is read ahead")
	}
	if !openAhead(t, 1, FileConfig{}).ahead(true) {
		t.Error("a whole file is not read ahead")
	}
	filtered, err := Filter(openAhead(t, 1, FileConfig{}), "udp")
	if err != nil {
		t.Fatal(err)
	}
	if k, ok := filtered.(aheadOf); !ok || !k.ahead(true) {
		t.Error("a filtered file is not read ahead")
	}
	if _, ok := Replay(openAhead(t, 1, FileConfig{}), 1).(aheadOf); ok {
		t.Error("a file that is replayed at its pace is read ahead")
	}
}
