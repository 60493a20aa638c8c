package feature_test

import (
	"fmt"

	"mlids/feature"
)

// Every spelling of a column leads to it, and the schema says what the column means.
func ExampleSchema_Index() {
	catalogue, err := feature.Schemas()
	if err != nil {
		fmt.Println(err)
		return
	}
	schema, err := catalogue.Find("cicflow/2018")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, spelling := range []string{"Tot Fwd Pkts", "tot_fwd_pkts", " Total Fwd Packets", "FIN Flag Cnt"} {
		i, _ := schema.Index(spelling)
		c := schema.Columns[i]
		fmt.Printf("%s [%s]: %s\n", c.Name, c.Unit, c.Meaning)
	}
	// Output:
	// tot_fwd_pkts [packets]: Packets forward.
	// tot_fwd_pkts [packets]: Packets forward.
	// tot_fwd_pkts [packets]: Packets forward.
	// fin_flag_cnt [packets]: 1 when the first packet has RST.
}

// A model takes numbers: categories become one indicator each, and what only says who or when is left out.
func ExampleSchema_Inputs() {
	catalogue, err := feature.Schemas()
	if err != nil {
		fmt.Println(err)
		return
	}
	schema, err := catalogue.Find("kdd99")
	if err != nil {
		fmt.Println(err)
		return
	}
	inputs := schema.Inputs(false)
	fmt.Println(len(schema.Columns), "columns,", len(inputs), "inputs:", inputs[0].Name, inputs[1].Name, inputs[2].Name, "…")
	// Output: 41 columns, 123 inputs: duration protocol_type=icmp protocol_type=tcp …
}
