package dataset_test

import (
	"testing"
	"time"

	"mlids/dataset"
	"mlids/feature"
	"mlids/internal/testdata"
)

func catalogue(tb testing.TB) *feature.Catalogue {
	tb.Helper()
	c, err := feature.Schemas()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func schema(tb testing.TB, id string) *feature.Schema {
	tb.Helper()
	s, err := catalogue(tb).Find(id)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestKDD(t *testing.T) {
	start := time.Now()
	table, err := dataset.Open(t.Context(), testdata.Path(t, "kdd99", "kddcup.data_10_percent.gz"), schema(t, "kdd99"), dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(start), table.Len())
	start = time.Now()
	m := table.Merge()
	t.Log(time.Since(start), m.Len())
	start = time.Now()
	s, err := m.Set(nil, dataset.KDD99())
	if err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(start), s.Len(), len(s.Inputs))
	start = time.Now()
	t.Log(s.Merge().Len())
	t.Log(time.Since(start))
	start = time.Now()
	t.Log(s.Fingerprint())
	t.Log(time.Since(start))
}
