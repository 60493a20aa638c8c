package dataset

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"

	"mlids/feature"
)

// Open reads the table of a source: a file, or "-" for Options.Stdin. The name's ending says what is in it (.csv and .txt
// are CSV, .json is split JSON or an array of records, .parquet); gzip is found by its first bytes, so that .gz or no .gz
// both work. Other names, and "-", are looked into.
func Open(ctx context.Context, source string, s *feature.Schema, o Options) (*Table, error) {
	if scheme, _, ok := strings.Cut(source, "://"); ok {
		return nil, fmt.Errorf("%w %s: scheme %s is not known; want a path or -", ErrSource, source, scheme)
	}
	if source == "-" {
		if o.Stdin == nil {
			return nil, fmt.Errorf("%w -: there is no standard input here", ErrSource)
		}
		o.Name = cmp.Or(o.Name, "standard input")
		o.source = &counter{r: o.Stdin}
		return openStream(ctx, o.source, "", s, o)
	}
	o.Name = cmp.Or(o.Name, source)
	f, err := os.Open(source)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSource, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSource, err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%w %s: a directory; want a file", ErrSource, source)
	}
	o.source = &counter{r: f, total: info.Size()}
	name := strings.ToLower(source)
	if strings.HasSuffix(name, ".parquet") {
		return ReadParquet(ctx, f, info.Size(), s, o)
	}
	return openStream(ctx, o.source, strings.TrimSuffix(name, ".gz"), s, o)
}

// openStream reads a table of one of the text formats.
func openStream(ctx context.Context, r io.Reader, name string, s *feature.Schema, o Options) (*Table, error) {
	plain, err := inflate(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.name(), err)
	}
	head := bufio.NewReaderSize(plain, 4096)
	switch first := firstByte(head); {
	case strings.HasSuffix(name, ".csv") || strings.HasSuffix(name, ".txt"):
		return ReadCSV(ctx, head, s, o)
	case first == 'P' && isParquet(head):
		return readAllParquet(ctx, head, s, o)
	case first == '[':
		return ReadRecords(ctx, head, s, o)
	case first == '{' || strings.HasSuffix(name, ".json"):
		return ReadSplit(ctx, head, s, o)
	default:
		return ReadCSV(ctx, head, s, o)
	}
}

// isParquet looks for the magic of Parquet.
func isParquet(r *bufio.Reader) bool {
	magic, _ := r.Peek(4) // an error comes again when the file is read
	return string(magic) == "PAR1"
}

// readAllParquet reads a Parquet file from a stream, which has to go into memory: its directory is at the end.
func readAllParquet(ctx context.Context, r io.Reader, s *feature.Schema, o Options) (*Table, error) {
	most := o.Limits.orDefault().Memory
	file, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.name(), malformed(err))
	}
	if int64(len(file)) > most {
		return nil, fmt.Errorf("%s: %w: more than %d MiB of Parquet in a stream", o.name(), ErrLimit, most>>20)
	}
	return ReadParquet(ctx, bytes.NewReader(file), int64(len(file)), s, o)
}

// firstByte looks at the first byte that is not space, 0 when there is none.
func firstByte(r *bufio.Reader) byte {
	head, _ := r.Peek(512) // an error comes again when the text is read
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\uFEFF")), " \t\r\n")
	if len(head) == 0 {
		return 0
	}
	return head[0]
}

// inflate takes gzip off, if it is there.
func inflate(r io.Reader) (io.Reader, error) {
	b, ok := r.(*bufio.Reader)
	if !ok {
		b = bufio.NewReaderSize(r, 1<<16)
	}
	if magic, _ := b.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return b, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, fmt.Errorf("%w: gzip: %w", ErrSyntax, err)
	}
	return z, nil
}

// ChooseSchema picks the version of the named schema whose own spellings (Column.Header) a header uses most; the
// catalogue's order decides between equals. An ID ("cicflow/2018") leaves no choice.
func ChooseSchema(c *feature.Catalogue, name string, header []string) (*feature.Schema, error) {
	best, err := c.Find(name)
	if err != nil || strings.Contains(name, "/") {
		return best, err
	}
	most := -1
	for _, id := range c.IDs() {
		s, err := c.Find(id)
		if err != nil {
			return nil, err
		}
		if n := ownSpellings(s, header); s.Name == name && n > most {
			best, most = s, n
		}
	}
	return best, nil
}

// ownSpellings counts the columns that a header spells as the schema's own tool does.
func ownSpellings(s *feature.Schema, header []string) int {
	own := make(map[string]bool, len(s.Columns))
	for _, c := range s.Columns {
		own[feature.Normalise(c.Header)] = true
	}
	n := 0
	for _, h := range header {
		if own[feature.Normalise(h)] {
			n++
		}
	}
	return n
}

// Dialect is ChooseSchema as Options.Choose wants it.
func Dialect(c *feature.Catalogue, name string) func(header []string) (*feature.Schema, error) {
	return func(header []string) (*feature.Schema, error) { return ChooseSchema(c, name, header) }
}
