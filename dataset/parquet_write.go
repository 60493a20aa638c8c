package dataset

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// WriteParquet writes a table as a Parquet file (Snappy) with one optional column for each of the table's: float for
// numbers, dictionary-coded strings for categories and the label, missing values as null.
func WriteParquet(w io.Writer, t *Table) error {
	fields := t.fields()
	out := parquet.NewWriter(w, parquetSchema(t, fields), parquet.Compression(&parquet.Snappy))
	rows := make([]parquet.Row, 0, blockRows)
	for row := 0; row < t.rows; {
		rows = rows[:0]
		for ; row < t.rows && len(rows) < blockRows; row++ {
			values := make(parquet.Row, len(fields))
			for i, f := range fields {
				values[i] = f.value(t, row, i)
			}
			rows = append(rows, values)
		}
		if _, err := out.WriteRows(rows); err != nil {
			return fmt.Errorf("writing Parquet: %w", err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("writing Parquet: %w", err)
	}
	return nil
}

// value is a field for Parquet, of an optional column: definition level 1, or 0 for null.
func (f field) value(t *Table, row, column int) parquet.Value {
	if s, ok := f.text(t, row); ok {
		if s == "" && f.column >= 0 {
			return parquet.NullValue().Level(0, 0, column)
		}
		return parquet.ByteArrayValue([]byte(s)).Level(0, 1, column)
	}
	v := t.Columns[f.column][row]
	if v != v {
		return parquet.NullValue().Level(0, 0, column)
	}
	return parquet.FloatValue(v).Level(0, 1, column)
}

// ordered is a group whose fields keep the table's order.
type ordered struct {
	parquet.Group
	order map[string]int
}

// Fields lists the columns in the table's order.
func (o ordered) Fields() []parquet.Field {
	return slices.SortedFunc(slices.Values(o.Group.Fields()), func(a, b parquet.Field) int {
		return cmp.Compare(o.order[a.Name()], o.order[b.Name()])
	})
}

func parquetSchema(t *Table, fields []field) *parquet.Schema {
	o := ordered{parquet.Group{}, map[string]int{}}
	for i, f := range fields {
		node := parquet.Leaf(parquet.FloatType)
		if f.column < 0 || t.Text[f.column] != nil || t.Columns[f.column] == nil || categorical(t, f) {
			node = parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
		}
		o.Group[f.header] = parquet.Optional(node)
		o.order[f.header] = i
	}
	return parquet.NewSchema(t.Schema.Name, o)
}

func categorical(t *Table, f field) bool { return len(t.Schema.Columns[f.column].Categories) > 0 }
