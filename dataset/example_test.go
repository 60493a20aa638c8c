package dataset_test

import (
	"context"
	"fmt"
	"strings"

	"mlids/dataset"
	"mlids/feature"
)

// kdd is the schema of the examples; a program reports the errors.
func kdd() *feature.Schema {
	c, _ := feature.Schemas()
	s, _ := c.Find("kdd99")
	return s
}

const connections = `0,tcp,http,SF,181,5450,0,0,0,0,0,1,0,0,0,0,0,0,0,0,0,0,8,8,0,0,0,0,1,0,0,9,9,1,0,0.11,0,0,0,0,0,normal.
0,icmp,ecr_i,SF,1032,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,511,511,0,0,0,0,1,0,0,255,255,1,0,1,0,0,0,0,0,smurf.
0,icmp,ecr_i,SF,1032,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,511,511,0,0,0,0,1,0,0,255,255,1,0,1,0,0,0,0,0,smurf.
`

// From a file of labelled flows to what a learner takes.
func Example() {
	table, err := dataset.ReadCSV(context.Background(), strings.NewReader(connections), kdd(), dataset.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := table.Merge().Set(nil, dataset.KDD99())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(table.Len(), "rows,", set.Len(), "distinct,", len(set.Inputs), "inputs")
	for i := range set.Len() {
		fmt.Println(set.Types[set.Type[i]], "is", set.Classes[set.Class[i]], "×", set.Weight[i])
	}
	// Output:
	// 3 rows, 2 distinct, 123 inputs
	// normal is normal × 1
	// smurf is dos × 2
}

// From a request's body to a model's inputs.
func ExampleSplitDecoder() {
	schema := kdd()
	inputs, err := schema.Resolve([]string{"src_bytes", "service=http", "service=ftp"})
	if err != nil {
		fmt.Println(err)
		return
	}
	decoder, err := dataset.NewSplitDecoder(schema, inputs, dataset.Limits{Rows: 1000})
	if err != nil {
		fmt.Println(err)
		return
	}
	rows, err := decoder.Decode([]byte(`{"columns":["service","src_bytes"],"data":[["http",181],["ftp","17"]]}`))
	fmt.Println(rows.N, rows.X, string(rows.Raw(1)), err)
	_, err = decoder.Decode([]byte(`{"columns":["service","src_bytes"],"data":[["http","many"]]}`))
	fmt.Println(err)
	// Output:
	// 2 [181 1 0 17 0 1] ["ftp","17"] <nil>
	// row 1 (data[0]): column src_bytes: wrong value: "many" is not a number
}

func ExampleReadClasses() {
	classes, err := dataset.ReadClasses(strings.NewReader("attack,class\nBENIGN,benign\nPortscan,scan\n*,attack\n"), "classes.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, label := range []string{"Benign", "Portscan", "DDoS"} {
		k, _ := classes.Of(label)
		fmt.Println(label, "→", classes.Names[k])
	}
	// Output:
	// Benign → benign
	// Portscan → scan
	// DDoS → attack
}
