// Package filter compiles capture filters, written as tcpdump has them, to classic BPF programs for the kernel or for
// golang.org/x/net/bpf's virtual machine.
//
// It is the subset of pcap-filter(7) that sensors use:
//
//	host ADDRESS            net PREFIX              port N          portrange N-M
//	proto NAME              vlan [ID]               less N          greater N
//	ip  ip6  arp  rarp      tcp  udp  sctp  icmp  icmp6  igmp  ah  esp
//	HEADER[OFFSET:SIZE] & MASK = VALUE
//
//	and (&&)  or (||)  not (!)  ( )
//
// Before host, net, port and portrange may stand src, dst, "src or dst" or "src and dst"; before these ip or ip6 (host,
// net, proto, port), arp or rarp (host, net) or tcp, udp or sctp (port, portrange). An address alone means host, and an
// identifier alone behind and or or takes the words of the one before it: "port 80 or 443". Prefixes are 10.0.0.0/8,
// "10.0.0.0 mask 255.0.0.0", 10.1 (for 10.1.0.0/16) and 2001:db8::/32.
//
// As in tcpdump, and and or have the same precedence and group from the left, not binds closer; a port is looked for in
// whole packets and first fragments only, in IPv6 only without extension headers; vlan makes all that stands to its
// right look behind the tag.
//
// A relation compares a field of a header: HEADER is one of the words for protocols, the size 1 (if left out), 2 or 4
// bytes, the mask may be left out, and the sign is =, ==, !=, <, <=, > or >=. Numbers are decimal or as in C; tcpflags,
// tcp-syn, icmptype, icmp-echo and the like have their names, and (tcp-syn|tcp-ack) is both. There is no other
// arithmetic, and names of hosts and ports are not understood. A packet shorter than a field which
// the expression asks for does not match.
package filter
