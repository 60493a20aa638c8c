package flow

import "mlids"

// Shard says which of n tables a packet belongs to, so that all packets of a flow, in either direction, meet in one. It
// is the same in every process. Protocols without ports go by addresses alone.
func Shard(p *mlids.Packet, n int) int {
	var sport, dport uint16
	if p.Proto == mlids.ProtoTCP || p.Proto == mlids.ProtoUDP {
		sport, dport = p.SrcPort, p.DstPort
	}
	h := end(&p.Src, sport, 0) + end(&p.Dst, dport, 0)
	return int((h >> 32) * uint64(n) >> 32)
}
