package report_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"mlids/dataset"
	"mlids/feature"
	"mlids/report"
)

func ExampleInspect() {
	schema, err := feature.New(feature.Schema{
		Name: "demo", Version: "1", Label: []string{"label"},
		Columns: []feature.Column{{Name: "bytes", Kind: feature.Integer, Unit: "bytes"}, {Name: "fixed", Kind: feature.Integer}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	csv := "bytes,fixed,label\n10,1,benign\n10,1,benign\n12,1,benign\n900,1,DoS\n"
	table, err := dataset.ReadCSV(context.Background(), strings.NewReader(csv), schema, dataset.Options{Name: "flows.csv"})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := report.Inspect(context.Background(), table, report.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range r.Findings {
		fmt.Printf("%s: %s\n", f.Level, f.Text)
	}
	var page bytes.Buffer
	fmt.Println(report.WriteData(&page, r), page.Len() > 5000)
	// Output:
	// warning: 2 labels with fewer than 50 rows: benign (3), DoS (1).
	// warning: 1 of 4 rows (25.0%) repeat an earlier row; 3 are different.
	// note: 25.0% of the rows are attacks; in a real network hardly any flow is.
	// note: 1 column with the same value in every row: fixed.
	// good: Most is told by bytes (100%): in brackets how much of the class each explains alone.
	// <nil> true
}
