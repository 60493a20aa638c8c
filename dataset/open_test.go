package dataset_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mlids/dataset"
)

const (
	asCSV     = "pkts,rate,proto,label\n1,0.5,6,a\n2,1.5,17,b\n"
	asSplit   = `{"columns":["pkts","rate","proto","label"],"data":[[1,0.5,6,"a"],[2,1.5,17,"b"]]}`
	asRecords = ` [{"pkts":1,"rate":0.5,"proto":"6","label":"a"},{"label":"b","proto":"17","rate":1.5,"pkts":2}]`
)

func TestOpen(t *testing.T) {
	for name, content := range map[string]string{
		"a.csv": asCSV, "a.txt": asCSV, "A.CSV": asCSV, "a.csv.gz": zip(t, asCSV), "a.txt.gz": zip(t, asCSV),
		"b.csv": zip(t, asCSV), "c.csv.gz": asCSV, "a.gz": zip(t, asCSV), "a": asCSV, "c": zip(t, asSplit), "a.list": asCSV,
		"a.json": asSplit, "b.json": asRecords, "a.json.gz": zip(t, asSplit), "b": asSplit,
		"a.parquet": string(parquetBytes(t, asCSV)),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			var last dataset.Progress
			table, err := dataset.Open(t.Context(), path, small(t), dataset.Options{Progress: func(p dataset.Progress) { last = p }})
			checkTwoRows(t, table, err)
			if last.Rows != 2 || last.Bytes != int64(len(content)) || last.Total != last.Bytes {
				t.Errorf("progress ends at %+v; want 2 rows, %d bytes", last, len(content))
			}
			if !strings.Contains(table.Where(0), path) {
				t.Errorf("row 0 is at %s", table.Where(0))
			}
		})
	}
}

func TestOpenStandardInput(t *testing.T) {
	for _, content := range []string{asCSV, asSplit, asRecords, zip(t, asCSV), "\uFEFF" + asSplit, string(parquetBytes(t, asCSV))} {
		table, err := dataset.Open(t.Context(), "-", small(t), dataset.Options{Stdin: strings.NewReader(content)})
		checkTwoRows(t, table, err)
	}
	_, err := dataset.Open(t.Context(), "-", small(t), dataset.Options{Stdin: strings.NewReader("pkts\n1\n")})
	if !errors.Is(err, dataset.ErrColumn) || !strings.HasPrefix(err.Error(), "standard input:1: ") {
		t.Errorf("got %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for source, say := range map[string]string{
		"influxdb://localhost:8086/db": "scheme influxdb is not known", "http://x/a.csv": "scheme http is not known",
		"-": "no standard input", t.TempDir(): "a directory", filepath.Join(t.TempDir(), "none.csv"): "no such file",
	} {
		_, err := dataset.Open(t.Context(), source, small(t), dataset.Options{})
		if !errors.Is(err, dataset.ErrSource) || !strings.Contains(err.Error(), say) {
			t.Errorf("%s: got %v; want ErrSource with %q", source, err, say)
		}
	}
	for _, content := range []string{asCSV, asSplit, asRecords, "[]", string(parquetBytes(t, asCSV))} {
		o := dataset.Options{Stdin: strings.NewReader(content)}
		if _, err := dataset.Open(t.Context(), "-", nil, o); !errors.Is(err, dataset.ErrColumn) {
			t.Errorf("without schema: got %v; want ErrColumn", err)
		}
	}
	_, err := dataset.Open(t.Context(), filepath.Join(t.TempDir(), "none.csv"), small(t), dataset.Options{})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v; want fs.ErrNotExist", err)
	}
}

func TestChooseSchema(t *testing.T) {
	c := catalogue(t)
	for _, k := range []struct {
		name   string
		header []string
		want   string
	}{
		{"cicflow", []string{"Dst Port", "Tot Fwd Pkts", "Tot Bwd Pkts"}, "cicflow/2018"},
		{"cicflow", []string{"dst_port", "tot_fwd_pkts", "tot_bwd_pkts"}, "cicflow/2018"},
		{"cicflow", []string{"Dst Port", "Total Fwd Packet", "Total Bwd packets"}, "cicflow/v4"},
		{"cicflow", nil, "cicflow/v4"},
		{"cicflow/2018", []string{"Total Fwd Packet"}, "cicflow/2018"},
		{"kdd99", []string{"duration"}, "kdd99/1"},
	} {
		s, err := dataset.ChooseSchema(c, k.name, k.header)
		if err != nil || s.ID() != k.want {
			t.Errorf("%s with %q: got %v, %v; want %s", k.name, k.header, s, err, k.want)
		}
	}
	if _, err := dataset.ChooseSchema(c, "netflow", nil); err == nil {
		t.Error("an unknown schema was chosen")
	}
}

// What is written under a schema is recognised as that schema.
func TestDialectSurvivesWriting(t *testing.T) {
	for _, id := range catalogue(t).IDs() {
		s := schema(t, id)
		var names []string
		for _, c := range s.Columns {
			names = append(names, c.Name)
		}
		text := strings.Join(names, ",") + "\n" + strings.Repeat("1,", len(names)) + "\n"
		table, err := dataset.ReadCSV(t.Context(), strings.NewReader(text), s, dataset.Options{Extra: true, Text: true})
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := dataset.WriteCSV(&out, table); err != nil {
			t.Fatal(err)
		}
		header, _, _ := strings.Cut(out.String(), "\n")
		got, err := dataset.ChooseSchema(catalogue(t), s.Name, strings.Split(header, ","))
		if err != nil || got.ID() != id && !slices.Contains([]string{"cicflow/common"}, id) {
			t.Errorf("%s is read back as %v, %v", id, got.ID(), err)
		}
	}
}
