// Package label says what flows are: rules by flow id, addresses, ports, protocol and time, read from CSV.
//
// The file has a header. The column label is required; each of the others narrows a rule, and an empty field or * matches
// everything:
//
//	flow_id                    SRC-DST-SPORT-DPORT-PROTO, as CICFlowMeter prints it; stands for the next five
//	src_ip, dst_ip             an address or a prefix (10.0.0.0/8)
//	src_port, dst_port
//	protocol                   number, or tcp, udp, icmp
//	start, end                 the flow began in this time, both ends included
//	timestamp                  the flow began at this time, to the precision that it is given with
//
// The other columns of CICFlowMeter's tables may be there, and comment, description, name, note, attack_type, id, community_id,
// end_reason and attempted_category; they choose nothing. Any other column is taken for a slip of the pen: ErrColumns.
//
// A rule matches a flow in either direction. Of several that match, the first in the file counts. Times are RFC 3339, seconds
// since 1970, or CICFlowMeter's (2017-07-03 11:57:41.826651, 14/02/2018 10:44:50), in UTC. Labelled flows as CICFlowMeter
// prints them are a label file, too.
package label
