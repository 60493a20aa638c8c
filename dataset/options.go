package dataset

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"

	"mlids/feature"
)

// Limits bound what a source may make a reader hold. Zero fields take the default given.
type Limits struct {
	Rows    int   // rows of a table or a request: 100 million
	Columns int   // columns of a source, known or not: 4,096
	Record  int   // bytes of one row's text, and so of any field: 1 MiB
	Memory  int64 // bytes of the table that is read: 4 GiB
}

func (l Limits) orDefault() Limits {
	return Limits{
		Rows:    cmp.Or(max(l.Rows, 0), 100_000_000),
		Columns: cmp.Or(max(l.Columns, 0), 4096),
		Record:  cmp.Or(max(l.Record, 0), 1<<20),
		Memory:  cmp.Or(max(l.Memory, 0), 4<<30),
	}
}

// Progress tells how far a reader is.
type Progress struct {
	Rows  int
	Of    int   // rows that the source is known to have; 0 when it is not known
	Bytes int64 // of the source, before decompression
	Total int64 // size of the source in bytes; 0 when it is not known
}

// Options say what to read and how. The zero value reads what Schema.Inputs(false) needs, silently.
type Options struct {
	// Inputs are what a model or learner will want of the table: their columns must be there, unless the schema calls
	// them optional. Nil stands for Schema.Inputs(false), an empty slice for none.
	Inputs []feature.Input
	// Extra also keeps the other numbers and categories that the source has.
	Extra bool
	// Text also keeps the source's own text of categories, clocks, addresses and identifiers.
	Text bool
	// Label is the spelling of the label's column; "" takes the one that the schema names, if it is there.
	Label string
	// NeedLabel makes a source without labels an error.
	NeedLabel bool
	// Choose, when set, picks the schema by the source's header (nil for a file without) in place of the given one.
	// See [Dialect].
	Choose func(header []string) (*feature.Schema, error)

	Limits   Limits
	Progress func(Progress) // called about every 4,096 rows and at the end
	Log      *slog.Logger   // told once per source what is ignored; nil for silence

	Stdin io.Reader // what the source "-" stands for
	Name  string    // name of the source in errors; Open sets it when it is empty

	source *counter // where bytes are counted, when the source is a file
}

// schema is the one to read by: chosen by the header, or the one given.
func (o *Options) schema(given *feature.Schema, header []string) (*feature.Schema, error) {
	if o.Choose != nil {
		return o.Choose(header)
	}
	if given == nil {
		return nil, fmt.Errorf("%w: no schema to read by", ErrColumn)
	}
	return given, nil
}

func (o *Options) name() string { return cmp.Or(o.Name, "input") }

// tell logs what a reader ignores or assumes.
func (o *Options) tell(ctx context.Context, msg string, args ...any) {
	if o.Log != nil {
		o.Log.InfoContext(ctx, msg, append([]any{"source", o.name()}, args...)...)
	}
}

// counter counts the bytes that are read through it.
type counter struct {
	r     io.Reader
	n     int64
	total int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
