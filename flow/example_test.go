package flow_test

import (
	"fmt"
	"time"

	"mlids"
	"mlids/flow"
)

// sizes is a handler that adds up payloads; its state per flow is one number.
type sizes struct{}

func (sizes) Begin(f, _ *flow.Flow[uint64], p *mlids.Packet) { f.State = uint64(p.PayloadLen) }

func (sizes) Add(f *flow.Flow[uint64], p *mlids.Packet, _ bool) flow.Action {
	f.State += uint64(p.PayloadLen)
	return flow.Keep
}

func (sizes) End(f *flow.Flow[uint64]) {
	fmt.Println(f.Key.Src, f.Key.Dst, f.State, "bytes,", f.Reason)
}

func Example() {
	table := flow.New(flow.Config{Idle: time.Minute}, sizes{})
	client, server := mlids.AddrFrom4([4]byte{10, 0, 0, 1}), mlids.AddrFrom4([4]byte{10, 0, 0, 2})
	query := &mlids.Packet{Src: client, Dst: server, SrcPort: 4000, DstPort: 53, Proto: mlids.ProtoUDP, PayloadLen: 30}
	answer := &mlids.Packet{Src: server, Dst: client, SrcPort: 53, DstPort: 4000, Proto: mlids.ProtoUDP, PayloadLen: 300}
	table.Add(query)
	table.Add(answer)
	table.Flush()
	// Output: 10.0.0.1 10.0.0.2 330 bytes, end
}
