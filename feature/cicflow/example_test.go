package cicflow_test

import (
	"fmt"

	"mlids"
	"mlids/feature"
	"mlids/feature/cicflow"
)

func Example() {
	schemas, err := feature.Schemas()
	if err != nil {
		fmt.Println(err)
		return
	}
	schema, err := schemas.Find("cicflow/common")
	if err != nil {
		fmt.Println(err)
		return
	}
	x, err := cicflow.New(cicflow.Config{Schema: schema}, func(r *cicflow.Row) {
		i, _ := schema.Index("totlen_bwd_pkts")
		fmt.Println(r.Key.Src, r.Key.DstPort, r.Values[i], r.Reason)
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, server := mlids.AddrFrom4([4]byte{10, 0, 0, 1}), mlids.AddrFrom4([4]byte{10, 0, 0, 2})
	x.Add(&mlids.Packet{Src: client, Dst: server, SrcPort: 4000, DstPort: 53, Proto: mlids.ProtoUDP, Header: 8, PayloadLen: 30})
	x.Add(&mlids.Packet{Src: server, Dst: client, SrcPort: 53, DstPort: 4000, Proto: mlids.ProtoUDP, Header: 8, PayloadLen: 300})
	x.Flush()
	// Output: 10.0.0.1 53 300 end
}
