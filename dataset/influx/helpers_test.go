package influx_test

import (
	"bufio"
	"bytes"
	"io"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// firstLines are the first lines of a gzip file.
func firstLines(tb testing.TB, r io.Reader, n int) io.Reader {
	tb.Helper()
	z, err := gzip.NewReader(r)
	if err != nil {
		tb.Fatal(err)
	}
	var head bytes.Buffer
	lines := bufio.NewScanner(z)
	for range n {
		if !lines.Scan() {
			break
		}
		head.Write(lines.Bytes())
		head.WriteByte('\n')
	}
	return &head
}
