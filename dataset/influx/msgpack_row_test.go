package influx

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tinylib/msgp/msgp"
)

// anyValue appends a value of any kind that an answer may have.
func anyValue(b []byte, r *rand.Rand) []byte {
	switch r.IntN(12) {
	case 0:
		return msgp.AppendNil(b)
	case 1:
		return msgp.AppendBool(b, r.IntN(2) == 1)
	case 2:
		return msgp.AppendInt64(b, int64(r.IntN(300)-150))
	case 3:
		return msgp.AppendInt64(b, math.MinInt64+int64(r.IntN(9)))
	case 4:
		return msgp.AppendUint64(b, r.Uint64())
	case 5:
		return msgp.AppendFloat32(b, 0.5)
	case 6:
		return msgp.AppendString(b, strings.Repeat("é", r.IntN(400)))
	case 7:
		return msgp.AppendString(b, strings.Repeat("t", r.IntN(70_000)))
	case 8:
		return msgp.AppendString(b, "tcp")
	}
	return msgp.AppendFloat64(b, r.NormFloat64())
}

// Rows that are in the buffer and rows that have to be read value by value give the same.
func TestRowsAtOnceAndByValue(t *testing.T) {
	for _, width := range []int{0, 1, 2, 3, 15, 16, 17, 39} {
		r := rand.New(rand.NewPCG(1, uint64(width)))
		b := msgp.AppendMapHeader(nil, 1)
		b = msgp.AppendArrayHeader(msgp.AppendString(b, "results"), 1)
		b = msgp.AppendMapHeader(b, 1)
		b = msgp.AppendArrayHeader(msgp.AppendString(b, "series"), 1)
		b = msgp.AppendMapHeader(b, 2)
		b = msgp.AppendArrayHeader(msgp.AppendString(b, "columns"), uint32(width))
		for i := range width {
			b = msgp.AppendString(b, fmt.Sprint("c", i))
		}
		const count = 17
		b = msgp.AppendArrayHeader(msgp.AppendString(b, "values"), count)
		for range count {
			b = msgp.AppendArrayHeader(b, uint32(width))
			for range width {
				b = anyValue(b, r)
			}
		}
		var fast, slow transcript
		if err := readAnswer(bytes.NewReader(b), mediaMsgpack, &fast); err != nil {
			t.Fatal(err)
		}
		if err := readAnswer(iotest.OneByteReader(bytes.NewReader(b)), mediaMsgpack, &slow); err != nil {
			t.Fatal(err)
		}
		if fast.String() != slow.String() || strings.Count(slow.String(), "\n") != count+1 {
			t.Errorf("%d columns: rows differ", width)
		}
	}
}
