package detect

import (
	"bytes"
	"math"
	"testing"

	"mlids"
	"mlids/capture"
	"mlids/dataset"
	"mlids/feature"
	"mlids/feature/cicflow"
	"mlids/feature/kdd99"
	"mlids/internal/testdata"
)

// captures are of all protocols and of hostile traffic.
var captures = []string{
	"mufeng121/nmap.pcap", "zeek-btest/bruteforce.pcap", "zeek-btest/wikipedia.pcap", "zeek-btest/5-pings.pcap", "chrissanders/telnet.pcap",
	"chrissanders/ipv6_fragments.pcapng", "chrissanders/dns.cap", "nfstream-ndpi/quic.pcap", "stopddos/amp.UDP.snmp.src161.pcapng", "stopddos/amp.TCP.reflection.SYNACK.pcap", "chrissanders/gnutella.pcap",
}

// What a model sees live is, bit for bit, what a trainer reads from the printed table.
func TestLiveVectorsAreTableVectorsFullSize(t *testing.T) {
	testdata.FullSize(t)
	catalogue, err := feature.Schemas()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range catalogue.IDs() {
		schema, err := catalogue.Find(id)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range captures {
			path := testdata.Path(t, "pcap", name)
			live := liveVectors(t, path, schema)
			read := tableVectors(t, path, schema)
			if len(live) != len(read) {
				t.Errorf("%s %s: %d numbers live, %d from the table", id, name, len(live), len(read))
				continue
			}
			for i := range live {
				if math.Float32bits(live[i]) != math.Float32bits(read[i]) {
					inputs := schema.Inputs(true)
					t.Errorf("%s %s: flow %d, %s: %v live, %v from the table", id, name, i/len(inputs), inputs[i%len(inputs)].Name, live[i], read[i])
					break
				}
			}
		}
	}
}

func liveVectors(t *testing.T, path string, schema *feature.Schema) []float32 {
	t.Helper()
	var vectors []float32
	x, err := newExtractor(schema, Config{}, func(r *row) { vectors = r.vector(vectors, schema.Inputs(true)) })
	if err != nil {
		t.Fatal(err)
	}
	read(t, path, x)
	return vectors
}

// tableVectors prints the flows and reads them as a trainer does.
func tableVectors(t *testing.T, path string, schema *feature.Schema) []float32 {
	t.Helper()
	var text bytes.Buffer
	var x extractor
	var err error
	flush := func() error { return nil }
	if schema.Name == "kdd99" {
		x, err = kdd99.New(kdd99.Config{Schema: schema}, func(r *kdd99.Row) { text.Write(append(r.AppendCSV(nil), '\n')) })
	} else {
		w := cicflow.NewCSV(&text, schema)
		flush = w.Flush
		x, err = cicflow.New(cicflow.Config{Schema: schema}, func(r *cicflow.Row) {
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	read(t, path, x)
	if err := flush(); err != nil {
		t.Fatal(err)
	}
	inputs := schema.Inputs(true)
	table, err := dataset.ReadCSV(t.Context(), &text, schema, dataset.Options{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := table.AppendRows(nil, inputs, 0, table.Len())
	if err != nil {
		t.Fatal(err)
	}
	return vectors
}

func read(t *testing.T, path string, x extractor) {
	t.Helper()
	file, err := capture.Open(path, capture.FileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	err = capture.Run(t.Context(), file, capture.NewDecoder(capture.DecoderConfig{}), func(p *mlids.Packet) error {
		x.Add(p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	x.Flush()
}
