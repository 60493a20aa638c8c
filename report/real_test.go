package report

import (
	"bytes"
	"math"
	"testing"
	"time"

	"mlids/dataset"
	"mlids/feature"
	"mlids/internal/testdata"
)

func openReal(tb testing.TB, schema string, path ...string) *dataset.Table {
	tb.Helper()
	file := testdata.Path(tb, path...)
	c, err := feature.Schemas()
	if err != nil {
		tb.Fatal(err)
	}
	o := dataset.Options{Extra: true, Text: true, Inputs: []feature.Input{}, Choose: dataset.Dialect(c, schema)}
	t, err := dataset.Open(tb.Context(), file, nil, o)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func TestFlowsOf2018(t *testing.T) {
	r := inspect(t, openReal(t, "cicflow", "cicids", "2018-02-14_excerpt_5594rows.csv.gz"),
		Options{Against: openReal(t, "cicflow", "cicids", "cstub_dataset_1000rows.csv.gz")})
	if r.Rows != 5594 || r.Schema != "cicflow/2018" || len(r.Labels) != 3 {
		t.Errorf("%d rows of %s, labels %v", r.Rows, r.Schema, r.Labels)
	}
	if c := column(t, r, "fwd_seg_size_min"); c.Leak == "" {
		t.Errorf("fwd_seg_size_min tells attacks from benign rows and is no suspect: %+v", c)
	}
	if c := column(t, r, "subflow_fwd_byts"); c.Same != "totlen_fwd_pkts" {
		t.Errorf("subflow_fwd_byts is the same as %q", c.Same)
	}
	if len(r.Drift.Unseen) != 5 {
		t.Errorf("unseen labels %v, want 5", r.Drift.Unseen)
	}
	var page bytes.Buffer
	if err := WriteData(&page, r); err != nil {
		t.Fatal(err)
	}
	checkPage(t, "2018", page.Bytes())
}

func TestKDD99FullSize(t *testing.T) {
	testdata.FullSize(t)
	r := inspect(t, openReal(t, "kdd99", "kdd99", "kddcup.data_10_percent.gz"), Options{})
	if r.Rows != 494_021 || r.Repeats.Distinct != 145_586 || r.Repeats.Conflicts != 2 {
		t.Errorf("%d rows, repeats %+v", r.Rows, r.Repeats)
	}
	if math.Abs(r.Classes[0].Share-97278.0/494021) > 1e-12 || len(r.Labels) != 23 || r.Labels[0].Name != "smurf" {
		t.Errorf("classes %v, %d labels", r.Classes, len(r.Labels))
	}
	if !found(r, "2 columns with the same value in every row: num_outbound_cmds, is_host_login") {
		t.Errorf("findings %+v", r.Findings)
	}
}

func BenchmarkInspect(b *testing.B) {
	t := openReal(b, "kdd99", "kdd99", "kddcup.data_10_percent.gz")
	start := time.Now()
	for b.Loop() {
		inspect(b, t, Options{})
	}
	b.ReportMetric(float64(b.N)*float64(t.Len())/time.Since(start).Seconds(), "rows/s")
}
