package influx

import (
	"bytes"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"mlids/dataset"
)

// chunkOf is an answer of one chunk with rows of KDD's columns.
func chunkOf(tb testing.TB, t *dataset.Table, rows int) []byte {
	tb.Helper()
	b := msgp.AppendMapHeader(nil, 1)
	b = msgp.AppendArrayHeader(msgp.AppendString(b, "results"), 1)
	b = msgp.AppendMapHeader(b, 1)
	b = msgp.AppendArrayHeader(msgp.AppendString(b, "series"), 1)
	b = msgp.AppendMapHeader(b, 2)
	b = msgp.AppendArrayHeader(msgp.AppendString(b, "columns"), uint32(2+len(t.Columns)))
	b = msgp.AppendString(msgp.AppendString(b, "time"), "attack_type")
	for _, c := range t.Schema.Columns {
		b = msgp.AppendString(b, c.Name)
	}
	b = msgp.AppendArrayHeader(msgp.AppendString(b, "values"), uint32(rows))
	for i := range rows {
		b = msgp.AppendArrayHeader(b, uint32(2+len(t.Columns)))
		b = msgp.AppendString(msgp.AppendInt64(b, 1_760_000_000_000_000_000+int64(i)), "normal.")
		for j, c := range t.Schema.Columns {
			if v := t.Columns[j][0]; c.Categories == nil {
				b = msgp.AppendFloat64(b, float64(v))
			} else {
				b = msgp.AppendString(b, c.Categories[int(v)])
			}
		}
	}
	return b
}

func BenchmarkDecode(b *testing.B) {
	const rows = 10_000
	table := kddTable(b, kddLine)
	chunk := chunkOf(b, table, rows)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		to := &tableRows{ctx: b.Context(), schema: table.Schema, counted: make(chan int, 1)}
		to.counted <- rows
		if err := readAnswer(bytes.NewReader(chunk), mediaMsgpack, to); err != nil || to.table.Len() != rows {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}
