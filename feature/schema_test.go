package feature_test

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"mlids/feature"
	"mlids/internal/testdata"
)

func catalogue(t *testing.T) *feature.Catalogue {
	t.Helper()
	c, err := feature.Schemas()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func find(t *testing.T, id string) *feature.Schema {
	t.Helper()
	s, err := catalogue(t).Find(id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSizes(t *testing.T) {
	for id, want := range map[string]struct{ columns, inputs int }{
		"kdd99":          {41, 38 + 3 + 71 + 11},
		"cicflow/v4":     {93, 93 - 7 + 1},
		"cicflow/2018":   {83, 83 - 7 + 1},
		"cicflow/common": {52, 46},
	} {
		s := find(t, id)
		if got := len(s.Columns); got != want.columns {
			t.Errorf("%s has %d columns, want %d", id, got, want.columns)
		}
		if got := len(s.Inputs(false)); got != want.inputs {
			t.Errorf("%s has %d inputs, want %d", id, got, want.inputs)
		}
	}
}

func TestEveryColumnIsDocumented(t *testing.T) {
	c := catalogue(t)
	for _, id := range c.IDs() {
		for _, col := range find(t, id).Columns {
			if col.Meaning == "" || col.Source == "" || col.Header == "" {
				t.Errorf("%s: column %s lacks meaning, source or header", id, col.Name)
			}
			if col.Name != feature.Normalise(col.Name) {
				t.Errorf("%s: column %s is not in snake_case", id, col.Name)
			}
		}
	}
}

func TestNameAloneIsFirstVersion(t *testing.T) {
	if got := find(t, "cicflow").ID(); got != "cicflow/v4" {
		t.Errorf("cicflow is %s, want cicflow/v4", got)
	}
}

func TestUnknownSchema(t *testing.T) {
	_, err := catalogue(t).Find("netflow")
	if !errors.Is(err, feature.ErrUnknownSchema) || !strings.Contains(err.Error(), "cicflow/2018") {
		t.Errorf("got %v, want ErrUnknownSchema with the known ones listed", err)
	}
}

func TestSharedSpellingIsRefused(t *testing.T) {
	_, err := feature.New(feature.Schema{Name: "x", Version: "1", Columns: []feature.Column{{Name: "a"}, {Name: "b", Aliases: []string{"A"}}}})
	if err == nil {
		t.Error("two columns with one spelling were accepted")
	}
}

func TestNormalise(t *testing.T) {
	for in, want := range map[string]string{
		" Destination Port": "destination_port", "Flow Byts/s": "flow_byts_s", "Fwd Header Length.1": "fwd_header_length_1",
		"Init_Win_bytes_forward": "init_win_bytes_forward", "Fwd TCP Retrans. Count": "fwd_tcp_retrans_count", "": "", "__x__": "x",
	} {
		if got := feature.Normalise(in); got != want {
			t.Errorf("Normalise(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestResolve(t *testing.T) {
	s := find(t, "kdd99")
	in, err := s.Resolve([]string{"src_bytes", "service=http"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Columns[in[1].Column].Categories[in[1].Category] != "http" || in[0].Category != -1 {
		t.Errorf("got %+v", in)
	}
	if _, err := s.Resolve([]string{"service=gopher2"}); err == nil {
		t.Error("an input that does not exist was resolved")
	}
}

// The four spellings in the data sets, and the original CICFlowMeter's, name all columns of the common schema.
func TestHeadersOfRealFiles(t *testing.T) {
	common := find(t, "cicflow/common")
	for _, file := range [][]string{
		{"cicids", "2018-02-14_excerpt_5594rows.csv.gz"}, {"cicids", "CICIDS2017_improved_union.csv.gz"},
		{"cicids", "cstub_dataset_1000rows.csv.gz"}, {"cicids", "cstub_validation_180rows.csv"},
		{"golden", "cicflowmeter-original", "outtest.csv"},
	} {
		found := map[int]bool{}
		for _, h := range header(t, testdata.Path(t, file...)) {
			if i, ok := common.Index(h); ok {
				found[i] = true
			}
		}
		for i, c := range common.Columns {
			if !found[i] && !c.Identity {
				t.Errorf("%s: no column is found for %s", file[len(file)-1], c.Name)
			}
		}
	}
}

func header(t *testing.T, path string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(line), ",")
}
