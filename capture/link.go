package capture

import "fmt"

// LinkType says what a frame begins with, by the numbers of the tcpdump group's registry
// (https://www.tcpdump.org/linktypes.html).
type LinkType uint32

// The link types that the decoder knows.
const (
	LinkNull     LinkType = 0   // BSD loopback: address family in the byte order of the capturing host
	LinkEthernet LinkType = 1   // Ethernet II, with 802.1Q, 802.1ad, MPLS and PPPoE
	LinkRawBSD   LinkType = 12  // raw IP, the number BSD writes
	LinkRawOpen  LinkType = 14  // raw IP, the number OpenBSD writes
	LinkRaw      LinkType = 101 // raw IP, the version field decides
	LinkLoop     LinkType = 108 // OpenBSD loopback: address family in network order
	LinkSLL      LinkType = 113 // Linux cooked capture v1
	LinkIPv4     LinkType = 228
	LinkIPv6     LinkType = 229
	LinkSLL2     LinkType = 276 // Linux cooked capture v2
)

// linkTypeMask leaves away what a pcap file header says of frame check sequences.
const linkTypeMask = 0xffff

// Bytes in front of the network layer.
const (
	linkSLLSize  = 16
	linkSLL2Size = 20
	linkNullSize = 4
	etherSize    = 14
)

var linkNames = map[LinkType]string{
	LinkNull: "null", LinkEthernet: "ethernet", LinkRawBSD: "raw", LinkRawOpen: "raw", LinkRaw: "raw", LinkLoop: "loop",
	LinkSLL: "linux-cooked", LinkIPv4: "ipv4", LinkIPv6: "ipv6", LinkSLL2: "linux-cooked-2",
}

// String is a short name of the link type, its number when the decoder does not know it.
func (l LinkType) String() string {
	if name, ok := linkNames[l]; ok {
		return name
	}
	return fmt.Sprintf("link-type-%d", uint32(l))
}
