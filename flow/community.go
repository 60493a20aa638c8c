package flow

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the specification asks for it; nothing is secret here
	"encoding/base64"
	"encoding/binary"

	"mlids"
)

// CommunityID is the flow's Community ID, version 1 (github.com/corelight/community-id-spec), by which other tools know
// the same flow. seed is 0 unless a site has chosen another.
func CommunityID(k mlids.FlowKey, seed uint16) string {
	src, dst, ports := k.SrcPort, k.DstPort, true
	oneWay := false
	switch k.Proto {
	case mlids.ProtoICMP, mlids.ProtoICMPv6:
		src, dst, oneWay = communityICMP(k)
	case mlids.ProtoTCP, mlids.ProtoUDP, mlids.ProtoSCTP:
	default:
		ports = false
	}
	a, b := addrBytes(&k.Src), addrBytes(&k.Dst)
	if c := bytes.Compare(a, b); !oneWay && (c > 0 || c == 0 && src > dst) {
		a, b, src, dst = b, a, dst, src
	}
	buf := make([]byte, 0, 40)
	buf = binary.BigEndian.AppendUint16(buf, seed)
	buf = append(buf, a...)
	buf = append(buf, b...)
	buf = append(buf, k.Proto, 0)
	if ports {
		buf = binary.BigEndian.AppendUint16(buf, src)
		buf = binary.BigEndian.AppendUint16(buf, dst)
	}
	sum := sha1.Sum(buf) //nolint:gosec // see above
	return "1:" + base64.StdEncoding.EncodeToString(sum[:])
}

// communityICMP gives type and its answer's type as ports; a message without an answer has type and code and only one
// direction. Request and reply are those that the specification knows.
func communityICMP(k mlids.FlowKey) (src, dst uint16, oneWay bool) {
	t, code := uint8(k.SrcPort>>8), k.SrcPort&0xff
	other, ok := Counterpart(k.Proto, t)
	if !ok || k.Proto == mlids.ProtoICMP && t == 9 {
		return uint16(t), code, true // the reference maps solicitations to advertisements and not back
	}
	return uint16(t), uint16(other), false
}

func addrBytes(a *mlids.Addr) []byte {
	if a.Is4() {
		return a[12:]
	}
	return a[:]
}
