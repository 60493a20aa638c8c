package openflow

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"mlids/mitigate/openflow/ofp"
)

// point is a port of a switch.
type point struct {
	node uint64
	port uint32
}

// prober makes and knows the LLDP frames (IEEE 802.1AB) by which links are found. They are signed, so that a host cannot
// make up a link by sending one.
type prober struct{ key []byte }

// TLV types of LLDP, and the subtype "locally assigned" of chassis and port.
const (
	tlvChassis = 1
	tlvPort    = 2
	tlvTTL     = 3
	tlvOwn     = 127
	locally    = 7
	macSize    = 16
	probeTTL   = 120 // seconds
)

// lldpGroup is the nearest bridge: no bridge passes it on.
func lldpGroup() ofp.MAC { return ofp.MAC{0x01, 0x80, 0xc2, 0, 0, 0x0e} }

// probe is the frame that goes out of a port.
func (p *prober) probe(at point, src ofp.MAC) []byte {
	group := lldpGroup()
	b := append(append(make([]byte, 0, 64), group[:]...), src[:]...)
	b = append(b, ofp.EthLLDP>>8, ofp.EthLLDP&0xff)
	b = append(b, tlvChassis<<1, 9, locally)
	b = binary.BigEndian.AppendUint64(b, at.node)
	b = append(b, tlvPort<<1, 5, locally)
	b = binary.BigEndian.AppendUint32(b, at.port)
	b = append(b, tlvTTL<<1, 2, 0, probeTTL)
	b = append(b, tlvOwn<<1, 4+macSize, 'm', 'l', 'i', 1)
	b = append(b, p.sign(at)...)
	return append(b, 0, 0)
}

// probeSize is the size of a probe behind its Ethernet header.
const probeSize = 11 + 7 + 4 + 6 + macSize + 2

// origin is the port that a probe of ours came out of.
func (p *prober) origin(payload []byte) (point, bool) {
	if len(payload) < probeSize || payload[0] != tlvChassis<<1 || payload[11] != tlvPort<<1 || payload[22] != tlvOwn<<1 {
		return point{}, false
	}
	at := point{binary.BigEndian.Uint64(payload[3:]), binary.BigEndian.Uint32(payload[14:])}
	return at, hmac.Equal(payload[28:28+macSize], p.sign(at))
}

func (p *prober) sign(at point) []byte {
	h := hmac.New(sha256.New, p.key)
	_ = binary.Write(h, binary.BigEndian, at.node)
	_ = binary.Write(h, binary.BigEndian, at.port)
	return h.Sum(nil)[:macSize]
}
