// Package filter compiles capture filters, written as tcpdump has them, to classic BPF programs for the kernel or for
// golang.org/x/net/bpf's virtual machine.
//
// It is the subset of pcap-filter(7) that sensors use:
//
//	host ADDRESS            net PREFIX              port N          portrange N-M
//	proto NAME              vlan [ID]               less N          greater N
//	ip  ip6  arp  rarp      tcp  udp  sctp  icmp  icmp6  igmp  ah  esp
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
// Names of hosts and ports, and arithmetic such as tcp[13] & 2, are not understood. A packet shorter than a field which
// the expression asks for does not match.
package filter
