package dataset_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mlids/dataset"
	"mlids/internal/testdata"
)

// bigFile writes rows of the small schema.
func bigFile(t *testing.T, name string, rows int) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("pkts,rate,proto,label\n")
	r := rand.New(rand.NewPCG(1, 2))
	for range rows {
		fmt.Fprintf(&text, "%d,%d.25,6,a\n", r.Uint32(), r.Uint32())
	}
	content := text.String()
	if strings.HasSuffix(name, ".gz") {
		content = zip(t, content)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A file whose table cannot fit is refused by what its first part says, and one that fits is read.
func TestFilesOfFullSizeAreForeseen(t *testing.T) {
	testdata.FullSize(t)
	for name, rows := range map[string]int{"a.csv": 700_000, "a.csv.gz": 1_200_000} {
		t.Run(name, func(t *testing.T) {
			path := bigFile(t, name, rows)
			var last dataset.Progress
			o := dataset.Options{Progress: func(p dataset.Progress) { last = p }, Limits: dataset.Limits{Memory: int64(rows) * 16 * 5 / 8}}
			_, err := dataset.Open(t.Context(), path, small(t), o)
			if !errors.Is(err, dataset.ErrLimit) || !strings.Contains(err.Error(), "would take about") || last.Rows > rows*9/10 {
				t.Errorf("after %d of %d rows: %v", last.Rows, rows, err)
			}
			o.Limits.Memory = int64(rows)*16 + 1<<10 // the rows, and names beside them
			table, err := dataset.Open(t.Context(), path, small(t), o)
			if err != nil || table.Len() != rows {
				t.Fatal(err)
			}
		})
	}
}
