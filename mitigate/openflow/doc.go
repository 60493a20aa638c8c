// Package openflow is an OpenFlow 1.3 controller that forwards like a network of learning switches, shows its packets to a
// detector and carries out blocks.
//
//	switch ⇄ session → network (topology, hosts, routes) → flow-mods, packet-outs
//	                 ↘ Feed: frames of packet-ins and copies, a capture.Source
//	mitigate.Block → Controller.Apply → table 0 of the switch nearest the source
//
// Table 0 holds blocks and lets everything else pass to table 1, which holds forwarding. Every flow carries a cookie that
// says whose it is, so that a controller that starts again takes its switches over as they are. docs/sdn.md tells what an
// operator sees of it.
package openflow
