// Package nftables carries blocks out on the host itself, in the kernel's packet filter.
//
//	mitigate.Block → Filter.Apply → table netdev mlids_IFACE: chain at the interface's ingress → sets with time-outs, rules
//
// Sources that are dropped are elements of a set for each IP version, so a thousand of them cost a packet one look-up. All
// other blocks are a rule each. The table is of this package alone; changes of it are one transaction each. Elements end
// by themselves; rules are taken away by whoever applied them, or by Blocks when their time is over.
package nftables
