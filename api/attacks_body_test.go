package api

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"testing"
)

// body posts a table, or what claims to be one.
func body(text string) func(*testing.T, *target) string {
	return encoded("", func() []byte { return []byte(text) })
}

// encoded posts bytes, made when they are sent, of a content coding.
func encoded(coding string, content func() []byte) func(*testing.T, *target) string {
	return func(t *testing.T, s *target) string {
		t.Helper()
		b := content()
		head := "POST /api/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
		if coding != "" {
			head += "Content-Encoding: " + coding + "\r\n"
		}
		return s.stream(t, io.MultiReader(strings.NewReader(fmt.Sprintf("%sContent-Length: %d\r\n\r\n", head, len(b))), bytes.NewReader(b)))
	}
}

// zipped compresses what src gives.
func zipped(src io.Reader) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.Copy(z, src)
	_ = z.Close()
	return b.Bytes()
}

// bomb is a small body that inflates to many MiB of spaces, in one stream. The first two MiB are compressed; each further one has the bytes
// of the second, for both stand behind a window of spaces.
func bomb(mib int) []byte {
	spaces := bytes.Repeat([]byte(" "), 1<<20)
	var part bytes.Buffer
	z := gzip.NewWriter(&part)
	ends := [2]int{}
	for i := range ends {
		_, _ = z.Write(spaces)
		_ = z.Flush()
		ends[i] = part.Len()
	}
	_ = z.Close()
	const trailer = 8
	b := slices.Clone(part.Bytes()[:ends[0]])
	sum := crc32.NewIEEE()
	for i := range mib {
		_, _ = sum.Write(spaces)
		if i > 0 {
			b = append(b, part.Bytes()[ends[0]:ends[1]]...)
		}
	}
	b = append(b, part.Bytes()[ends[1]:part.Len()-trailer]...)
	b = binary.LittleEndian.AppendUint32(b, sum.Sum32())
	return binary.LittleEndian.AppendUint32(b, uint32(mib<<20))
}

// A bomb is a whole gzip file, so that what a server says of it is said of its size.
func TestBombs(t *testing.T) {
	for _, mib := range []int{1, 2, 5} {
		z, err := gzip.NewReader(bytes.NewReader(bomb(mib)))
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, z)
		if err != nil || n != int64(mib)<<20 {
			t.Errorf("a bomb of %d MiB inflates to %d bytes: %v", mib, n, err)
		}
	}
}

func zipAttacks() []attack {
	return []attack{
		{"gzip bomb: 250 kB that inflate to 256 MiB", openDoor, encoded("gzip", func() []byte { return bomb(256) }), "413"},
		{"gzip of a gzip bomb", openDoor, encoded("gzip", func() []byte { return zipped(bytes.NewReader(bomb(64))) }), "400"},
		{"gzip named twice", openDoor, encoded("gzip, gzip", func() []byte { return zipped(bytes.NewReader(bomb(64))) }), "415"},
		{"100 gzip bombs in a row", openDoor, encoded("gzip", func() []byte { return bytes.Repeat(bomb(8), 100) }), "413"},
		{"gzip cut off", openDoor, encoded("gzip", func() []byte { return bomb(1)[:100] }), "400"},
		{"gzip with a wrong checksum", openDoor, encoded("gzip", func() []byte { b := zipped(strings.NewReader("{}")); b[len(b)-8]++; return b }), "400"},
		{"gzip with garbage behind", openDoor, encoded("gzip", func() []byte { return append(zipped(strings.NewReader("{}")), "garbage"...) }), "400"},
		{"gzip header with a name of 1 MB", openDoor, encoded("gzip", func() []byte {
			return append([]byte{0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 255}, bytes.Repeat([]byte("n"), 1<<20-20)...)
		}), "400"},
		{"no gzip at all", openDoor, encoded("gzip", func() []byte { return []byte("{}") }), "400"},
		{"brotli", openDoor, encoded("br", func() []byte { return []byte("{}") }), "415"},
	}
}

func jsonAttacks() []attack {
	return []attack{
		{"1,000,000 levels of [", openDoor, body(strings.Repeat("[", 1_000_000)), "400"},
		{"500,000 levels in a key that is ignored", openDoor, body(`{"x":` + strings.Repeat("[", 500_000) + strings.Repeat("]", 500_000) + `,"columns":[],"data":[]}`), "400"},
		{"170,000 levels of {", openDoor, body(strings.Repeat(`{"a":`, 170_000)), "400"},
		{"260,000 columns", openDoor, body(`{"columns":["a"` + strings.Repeat(`,"a"`, 260_000) + `],"data":[]}`), "413"},
		{"300,000 empty rows", openDoor, body(`{"columns":[],"data":[[]` + strings.Repeat(",[]", 300_000) + "]}"), "400"},
		{"a row more than may be", openDoor, func(t *testing.T, s *target) string {
			t.Helper()
			names, row := flow(t, packets(1))
			return body(document(t, map[string]any{"columns": names, "data": slices.Repeat([][]any{row}, s.cfg.MaxRows+1)}))(t, s)
		}, "413"},
		{"row of 500,000 values", openDoor, body(`{"columns":["a"],"data":[[1` + strings.Repeat(",1", 500_000) + "]]}"), "400"},
		{"number of 1,000,000 digits", openDoor, body(`{"columns":["flow_duration"],"data":[[` + strings.Repeat("9", 1_000_000) + "]]}"), "400"},
		{"number of 1e999999999", openDoor, body(`{"columns":["flow_duration"],"data":[[1e999999999]]}`), "400"},
		{"string of 1 MB as a column", openDoor, body(`{"columns":["` + strings.Repeat("c", 1_000_000) + `"],"data":[[1]]}`), "400"},
		{"string of 170,000 escapes", openDoor, body(`{"columns":["` + strings.Repeat(`\u0000`, 170_000) + `"],"data":[[1]]}`), "400"},
		{"columns given twice", openDoor, body(`{"columns":[],"columns":["a"],"data":[[1]]}`), "400"},
		{"100,000 keys that are the same", openDoor, body(`{` + strings.Repeat(`"a":1,`, 100_000) + `"columns":[],"data":[]}`), "400"},
		{"100,000 unknown keys", openDoor, body(unknownKeys(80_000)), "400"},
		{"not UTF-8", openDoor, body("{\"columns\":[\"\xff\xfe\"],\"data\":[[1]]}"), "400"},
		{"surrogate without its other half", openDoor, body(`{"columns":["\ud800"],"data":[[1]]}`), "400"},
		{"JSON cut off", openDoor, body(`{"columns":["a"],"data":[[1`), "400"},
		{"two documents", openDoor, body(`{"columns":[],"data":[]}{"columns":[],"data":[]}`), "400"},
		{"body one byte too long", openDoor, body(strings.Repeat(" ", 1<<20+1)), "413"},
		{"body that is no JSON, said to be", openDoor, body("<script>alert(1)</script>"), "400"},
		{"form of a page", openDoor, raw("POST /api/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"), "415"},
		{"model named by a path", openDoor, raw("POST /api/predictions?model=../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"), "404"},
		{"explanation of more than all", openDoor, raw("POST /api/predictions?explain=999999999999 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"), "400"},
	}
}

func unknownKeys(n int) string {
	var b strings.Builder
	b.WriteString("{")
	for i := range n {
		fmt.Fprintf(&b, `"k%d":1,`, i)
	}
	return b.String() + `"columns":["a"],"data":[[1]]}`
}
