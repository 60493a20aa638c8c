package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"
)

// ngBuilder writes pcapng blocks.
type ngBuilder struct {
	order byteOrder
	out   []byte
}

func (w *ngBuilder) block(kind uint32, parts ...[]byte) *ngBuilder {
	body := cat(parts...)
	body = append(body, make([]byte, -len(body)&3)...)
	size := uint32(len(body) + blockFrame)
	w.out = w.order.AppendUint32(w.order.AppendUint32(w.out, kind), size)
	w.out = w.order.AppendUint32(append(w.out, body...), size)
	return w
}

func (w *ngBuilder) u16(v uint16) []byte { return w.order.AppendUint16(nil, v) }
func (w *ngBuilder) u32(v uint32) []byte { return w.order.AppendUint32(nil, v) }
func (w *ngBuilder) u64(v uint64) []byte { return w.order.AppendUint64(nil, v) }

func (w *ngBuilder) section() *ngBuilder {
	return w.block(blockSection, w.u32(byteOrderMagic), w.u16(1), w.u16(0), w.u64(math.MaxUint64))
}

// face is an interface description; snap 0 is unlimited.
func (w *ngBuilder) face(link LinkType, snap uint32, options ...[]byte) *ngBuilder {
	return w.block(blockInterface, append([][]byte{w.u16(uint16(link)), w.u16(0), w.u32(snap)}, options...)...)
}

func (w *ngBuilder) option(code uint16, value ...byte) []byte {
	size := len(value)
	return cat(w.u16(code), w.u16(uint16(size)), value, make([]byte, -size&3))
}

func (w *ngBuilder) enhanced(face uint32, stamp uint64, wire uint32, data []byte) *ngBuilder {
	return w.block(blockEnhanced, w.u32(face), w.u32(uint32(stamp>>32)), w.u32(uint32(stamp)), w.u32(uint32(len(data))),
		w.u32(wire), data, make([]byte, -len(data)&3), w.option(1, []byte("a comment")...))
}

func (w *ngBuilder) obsolete(face uint16, stamp uint64, data []byte) *ngBuilder {
	return w.block(blockObsolete, w.u16(face), w.u16(0), w.u32(uint32(stamp>>32)), w.u32(uint32(stamp)),
		w.u32(uint32(len(data))), w.u32(uint32(len(data))), data)
}

func (w *ngBuilder) simple(wire uint32, data []byte) *ngBuilder {
	return w.block(blockSimple, w.u32(wire), data)
}

func little() *ngBuilder { return &ngBuilder{order: binary.LittleEndian} }

func TestPcapngSectionsInterfacesAndBlocks(t *testing.T) {
	big := &ngBuilder{order: binary.BigEndian}
	big.section().face(LinkRaw, 4, big.option(optTimeResolve, 9), big.option(optEnd)).
		block(10, []byte("secrets")).enhanced(0, 7*second+8, 20, []byte("abcd")).simple(9, []byte("efgh"))
	w := little()
	w.section().face(LinkEthernet, 0).face(LinkSLL2, 0, w.option(2, []byte("eth0")...), w.option(optTimeResolve, 3)).
		obsolete(1, 5_000, []byte("first")).enhanced(0, 6_000_001, 5, []byte("other"))
	frames, err := collect(t.Context(), NewFile("x.pcapng", bytes.NewReader(cat(w.out, big.out))))
	if err != nil {
		t.Fatal(err)
	}
	want := []Frame{
		{Data: []byte("first"), Time: 5 * second, WireLen: 5, Link: LinkSLL2},
		{Data: []byte("other"), Time: 6*second + 1000, WireLen: 5, Link: LinkEthernet},
		{Data: []byte("abcd"), Time: 7*second + 8, WireLen: 20, Link: LinkRaw},
		{Data: []byte("efgh"), Time: 7*second + 8, WireLen: 9, Link: LinkRaw},
	}
	if len(frames) != len(want) {
		t.Fatalf("%d frames, want %d", len(frames), len(want))
	}
	for i, f := range frames {
		if !bytes.Equal(f.Data, want[i].Data) || f.Time != want[i].Time || f.WireLen != want[i].WireLen || f.Link != want[i].Link {
			t.Errorf("frame %d: got %+v, want %+v", i, f, want[i])
		}
	}
}

func TestPcapngTimeStamps(t *testing.T) {
	tests := []struct {
		name       string
		resolution []byte
		offset     int64
		stamp      uint64
		want       int64
	}{
		{"µs by default", nil, 0, 1_500_000, 1_500_000_000},
		{"s", []byte{0}, 0, 3, 3 * second},
		{"ms", []byte{3}, 0, 3, 3_000_000},
		{"ns", []byte{9}, 0, 3, 3},
		{"ps", []byte{12}, 0, 3_999, 3},
		{"10^-28", []byte{28}, 0, math.MaxUint64, 1},
		{"2^0", []byte{0x80}, 0, 3, 3 * second},
		{"2^-10", []byte{0x8a}, 0, 1024 + 512, 1_500_000_000},
		{"2^-32", []byte{0xa0}, 0, 5<<32 | 1<<31, 5_500_000_000},
		{"2^-63", []byte{0xbf}, 0, 1<<63 | 1<<62, 1_500_000_000},
		{"offset", nil, 100, 1, 100*second + 1000},
		{"negative offset", nil, -100, 101_000_000, second},
		{"beyond 2262", []byte{0}, 0, 10_000_000_000, math.MaxInt64},
		{"beyond 2262 by its offset", []byte{0}, 9_000_000_000, 9_000_000_000, math.MaxInt64},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			w := little()
			var options []byte
			if c.resolution != nil {
				options = w.option(optTimeResolve, c.resolution...)
			}
			options = cat(options, w.option(optTimeOffset, w.u64(uint64(c.offset))...), w.option(optEnd))
			w.section().face(LinkRaw, 0, options).enhanced(0, c.stamp, 1, []byte("x"))
			frames, err := collect(t.Context(), NewFile("x", bytes.NewReader(w.out)))
			if err != nil || len(frames) != 1 || frames[0].Time != c.want {
				t.Errorf("got %+v, %v; want %d", frames, err, c.want)
			}
		})
	}
}

func TestPcapngErrors(t *testing.T) {
	lying := func(size uint32) []byte {
		w := little().section().face(LinkRaw, 0)
		return cat(w.out, w.u32(blockEnhanced), w.u32(size), make([]byte, 100))
	}
	ends := little().section().face(LinkRaw, 0)
	ends.enhanced(0, 0, 1, []byte("x"))
	ends.out[len(ends.out)-1] = 1
	w := little()
	tests := []struct {
		name string
		file []byte
		want error
		at   string
	}{
		{"no byte order", []byte{0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, ErrCorrupt, "offset 8"},
		{"4 GB block", lying(0xfffffffc), ErrLength, "offset 48"},
		{"block of no length", lying(0), ErrCorrupt, "offset 48"},
		{"odd length", lying(33), ErrCorrupt, "offset 48"},
		{"block longer than the file", lying(10_000), ErrTruncated, "offset 48"},
		{"unknown block longer than the file", cat(little().section().out, w.u32(77), w.u32(0xfffffff0), make([]byte, 9)), ErrTruncated, "offset 28"},
		{"lengths differ", ends.out, ErrCorrupt, "offset 48"},
		{"unknown interface", little().section().face(LinkRaw, 0).enhanced(1, 0, 1, []byte("x")).out, ErrCorrupt, "offset 48"},
		{"simple without interface", little().section().simple(1, []byte("x")).out, ErrCorrupt, "offset 28"},
		{"packet larger than its block", little().section().face(LinkRaw, 0).block(blockEnhanced, w.u32(0), w.u64(0), w.u32(100), w.u32(100)).out, ErrLength, "offset 48"},
		{"simple larger than its block", little().section().face(LinkRaw, 0).simple(100, []byte("x")).out, ErrLength, "offset 48"},
		{"short enhanced", little().section().face(LinkRaw, 0).block(blockEnhanced, w.u32(0)).out, ErrCorrupt, "offset 48"},
		{"short obsolete", little().section().face(LinkRaw, 0).block(blockObsolete, w.u32(0)).out, ErrCorrupt, "offset 48"},
		{"short simple", little().section().face(LinkRaw, 0).block(blockSimple).out, ErrCorrupt, "offset 48"},
		{"short interface", little().section().block(blockInterface, w.u32(0)).out, ErrCorrupt, "offset 28"},
		{"option longer than its block", little().section().face(LinkRaw, 0, w.u16(2), w.u16(100)).out, ErrCorrupt, "offset 28"},
		{"resolution of 2 bytes", little().section().face(LinkRaw, 0, w.option(optTimeResolve, 1, 2)).out, ErrCorrupt, "offset 28"},
		{"resolution of 10^-29", little().section().face(LinkRaw, 0, w.option(optTimeResolve, 29)).out, ErrLength, "offset 28"},
		{"resolution of 2^-64", little().section().face(LinkRaw, 0, w.option(optTimeResolve, 0xc0)).out, ErrLength, "offset 28"},
		{"offset of 300 billion years", little().section().face(LinkRaw, 0, w.option(optTimeOffset, w.u64(1<<62)...)).out, ErrLength, "offset 28"},
		{"version 2", w.block(blockSection, w.u32(byteOrderMagic), w.u16(2), w.u16(0), w.u64(0)).out, ErrFormat, "offset 12"},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			_, err := collect(t.Context(), NewFile("x.pcapng", bytes.NewReader(c.file)))
			if !errors.Is(err, c.want) || !bytes.Contains([]byte(err.Error()), []byte(c.at+":")) {
				t.Errorf("got %v, want %v at %s", err, c.want, c.at)
			}
		})
	}
}

// A file cut at any byte gives its whole packets and one error, except between blocks.
func TestPcapngTruncatedAnywhere(t *testing.T) {
	w := little()
	w.section().face(LinkRaw, 0, w.option(optTimeResolve, 9), w.option(optEnd)).enhanced(0, 1, 5, []byte("first")).
		block(77, []byte("skipped")).simple(3, []byte("abc")).section()
	last := 0
	for cut := range len(w.out) + 1 {
		frames, err := collect(t.Context(), NewFile("x", bytes.NewReader(w.out[:cut])))
		if len(frames) < last || err != nil && !errors.Is(err, ErrTruncated) {
			t.Errorf("cut at %d: %d frames after %d, %v", cut, len(frames), last, err)
		}
		last = len(frames)
	}
	if last != 2 {
		t.Errorf("%d frames, want 2", last)
	}
}
