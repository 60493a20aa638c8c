package influx

import (
	"strings"
	"testing"

	"mlids/dataset"
	"mlids/feature"
)

// kddTable reads KDD lines without a header.
func kddTable(tb testing.TB, lines ...string) *dataset.Table {
	tb.Helper()
	c, err := feature.Schemas()
	if err != nil {
		tb.Fatal(err)
	}
	s, err := c.Find("kdd99")
	if err != nil {
		tb.Fatal(err)
	}
	t, err := dataset.ReadCSV(tb.Context(), strings.NewReader(strings.Join(lines, "\n")), s, dataset.Options{Extra: true})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

const kddLine = "0,tcp,http,SF,181,5450,0,0,0,0,0,1,0,0,0,0,0,0,0,0,0,0,8,8,0.00,0.00,0.00,0.00,1.00,0.00,0.00,9,9,1.00,0.00,0.11," +
	"0.00,0.00,0.00,0.00,0.00,normal."

func TestLine(t *testing.T) {
	table := kddTable(t, kddLine, strings.Replace(strings.Replace(kddLine, "0,tcp,http", ",udp,nosuch", 1), "normal", "back", 1))
	l, err := newLines(table, "my traffic,1", "attack type", 1000)
	if err != nil {
		t.Fatal(err)
	}
	first := string(l.append(nil, 0))
	if want := `my\ traffic\,1,attack\ type=normal duration=0,protocol_type="tcp",service="http",flag="SF",src_bytes=181,dst_bytes=5450,`; !strings.HasPrefix(first, want) {
		t.Errorf("line %s\nwant %s…", first, want)
	}
	if want := ",dst_host_same_src_port_rate=0.11,"; !strings.Contains(first, want) || !strings.HasSuffix(first, "=0 1000\n") {
		t.Errorf("line %s\nwant %s in it and the time 1000 behind it", first, want)
	}
	second := string(l.append(nil, 1))
	if want := `my\ traffic\,1,attack\ type=back protocol_type="udp",service="unseen",`; !strings.HasPrefix(second, want) || !strings.HasSuffix(second, "=0 1001\n") {
		t.Errorf("line %s\nwant %s…", second, want)
	}
	if l.counted != "src_bytes" && l.counted != "protocol_type" {
		t.Errorf("rows are counted by %s, which has gaps", l.counted)
	}
}

func TestAppendTag(t *testing.T) {
	for value, want := range map[string]string{"": "", "a b": `,k=a\ b`, "a,b=c": `,k=a\,b\=c`, "a\\b\nc": ",k=a_b_c", "é": ",k=é"} {
		if got := string(AppendTag(nil, "k", value)); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

func BenchmarkLines(b *testing.B) {
	table := kddTable(b, strings.Split(strings.Repeat(kddLine+"\n", 1000), "\n")...)
	l, err := newLines(table, "traffic", "attack_type", 0)
	if err != nil {
		b.Fatal(err)
	}
	var buffer []byte
	for b.Loop() {
		buffer = buffer[:0]
		for row := range table.Len() {
			buffer = l.append(buffer, row)
		}
	}
	b.SetBytes(int64(len(buffer)))
	b.ReportMetric(float64(table.Len()*b.N)/b.Elapsed().Seconds(), "rows/s")
}
