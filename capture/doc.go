// Package capture reads packets from capture files and from live interfaces, and finds their headers.
//
//	Open, NewFile → Source → Decoder → *mlids.Packet     (Run does all of it)
//
// # Files
//
// Read are pcap and pcapng, plain or compressed with gzip (RFC 1952) or zstd (RFC 8878), by their magic numbers and not
// by their names, from a path, standard input ("-"), a reader or a file that is still being written.
//
//	format  what is read                                             source
//	pcap    µs and ns, both byte orders; the "modified" format       draft-ietf-opsawg-pcap
//	pcapng  several sections and interfaces, both byte orders,       draft-ietf-opsawg-pcapng
//	        enhanced, simple and obsolete packet blocks,
//	        if_tsresol (powers of 10 and 2), if_tsoffset;
//	        other blocks are skipped
//
// A frame has at most MaxFrame bytes. Whatever a file claims, a reader holds at most 1 MiB of it (3 MiB where it is
// compressed, and the window of a zstd stream, at most 128 MiB). Where Run reads ahead it is 2 MiB, and up to 32 where
// frames are long.
//
// # Errors
//
// The packets in front of an error come out first. The error then names the file, the packet and the offset (in the
// decompressed stream), and wraps one of
//
//	ErrFormat     no capture at all, or a version that is not readable
//	ErrTruncated  the file ends within a header, an option or a packet
//	ErrLength     a claimed length beyond what is possible
//	ErrCorrupt    contents that contradict themselves, broken compressed data
//
// or the error of the operating system.
//
// # Interfaces
//
// OpenLive reads an interface, or all of them ("any"), through an AF_PACKET ring of version 3: the kernel writes blocks
// of frames into memory that is shared with it, and drops what finds no room (Live.Stats counts that). The kernel also
// runs the filter, of which package filter says the language, and cuts frames to the snap length. VLAN tags that it or
// the card took off are put back. Interfaces without Ethernet headers, and "any", give Linux cooked frames v2. Frames on
// the loopback interface come once, not twice. Sources of one fan-out group share the traffic; the kernel sends both
// directions of a flow to the same one, but fragments by their addresses alone.
//
// # Waiting
//
// Next waits in Live, in standard input and in files that are followed, and stops when its context ends. Replay gives a
// file's frames at the pace of their time stamps.
//
// # Link types
//
//	number       name                 what follows
//	0, 108       BSD loopback         address family, IP
//	1            Ethernet             802.1Q, 802.1ad, MPLS and PPPoE in front of IP; 802.3 with LLC is ignored
//	12, 14, 101  raw IP               either version
//	228, 229     raw IPv4, raw IPv6
//	113, 276     Linux cooked v1, v2  EtherType, then as Ethernet
//
// Frames of other link types are counted as ignored, like everything that is not IP: see Reason.
//
// # Headers
//
// IPv4 with options (RFC 791), IPv6 with a bounded chain of extension headers (RFC 8200, RFC 4302, RFC 2675), TCP
// (RFC 9293), UDP (RFC 768), ICMP (RFC 792), ICMPv6 (RFC 4443), SCTP (RFC 9260). Fragments are not put together: the
// first one has the ports, later ones get them from a bounded table if it was seen before. With
// DecoderConfig.Decapsulate one level of IP-in-IP (RFC 2003), 6in4 (RFC 4213), GRE (RFC 2784, RFC 2890, RFC 2637), GTP-U
// (3GPP TS 29.281), VXLAN (RFC 7348) or Teredo (RFC 4380) is taken off.
package capture
