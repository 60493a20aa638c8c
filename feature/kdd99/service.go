package kdd99

import (
	"bytes"

	"mlids"
)

// services finds services by port: one look-up per connection.
type services struct {
	tcp, udp [1 << 16]Service
}

// newServices spreads the tables of ports over all ports.
func newServices(ephemeralPrivate bool) *services {
	s := &services{}
	fill(&s.tcp, tcpPorts, ephemeralPrivate)
	fill(&s.udp, udpPorts, ephemeralPrivate)
	return s
}

func fill(ports *[1 << 16]Service, table []portService, ephemeralPrivate bool) {
	for port := range ports {
		if ephemeralPrivate && port >= 49152 || !ephemeralPrivate && port < 1024 {
			ports[port] = Private
		} else {
			ports[port] = Other
		}
	}
	for _, r := range table {
		for port := int(r.from); port <= int(r.to); port++ {
			ports[port] = r.service
		}
	}
}

// of is the service of a connection by its first packet. A server that opens the data connection of active FTP does so
// from port 20.
func (s *services) of(p *mlids.Packet) Service {
	switch p.Proto {
	case mlids.ProtoTCP:
		if p.SrcPort == 20 && s.tcp[p.DstPort] == Other {
			return FTPData
		}
		return s.tcp[p.DstPort]
	case mlids.ProtoUDP:
		return s.udp[p.DstPort]
	case mlids.ProtoICMP:
		return icmpService(p.ICMPType, p.ICMPCode)
	}
	return icmp6Service(p.ICMPType, p.ICMPCode)
}

// icmpService names a message by its type (RFC 792); the data tell unreachable ports from unreachable hosts, and call
// what else there is icmp.
func icmpService(kind, code uint8) Service {
	switch kind {
	case 0:
		return EcrI
	case 3:
		if code == 3 {
			return UrpI
		}
		return UrhI
	case 5:
		return RedI
	case 8:
		return EcoI
	case 11:
		return TimI
	}
	return ICMP
}

// icmp6Service names the ICMPv6 message of the same meaning (RFC 4443, RFC 4861).
func icmp6Service(kind, code uint8) Service {
	switch kind {
	case 1:
		if code == 4 {
			return UrpI
		}
		return UrhI
	case 3:
		return TimI
	case 128:
		return EcoI
	case 129:
		return EcrI
	case 137:
		return RedI
	}
	return ICMP
}

// spoken are the first bytes by which a protocol shows itself on a port that names none, from the client or the server.
var spoken = []struct {
	server  bool
	prefix  string
	within  string // must follow in the same segment, "" for nothing
	service Service
}{
	{false, "GET ", " HTTP/1.", HTTP}, {false, "HEAD ", " HTTP/1.", HTTP}, {false, "POST ", " HTTP/1.", HTTP},
	{false, "PUT ", " HTTP/1.", HTTP}, {false, "OPTIONS ", " HTTP/1.", HTTP}, {false, "CONNECT ", " HTTP/1.", HTTP},
	{false, "SSH-", "", SSH}, {true, "SSH-", "", SSH}, {true, "220", "SMTP", SMTP}, {true, "220", "FTP", FTP},
	{true, "+OK", "", POP3}, {true, "* OK", "IMAP", IMAP4}, {false, "NICK ", "", IRC}, {true, ":", " NOTICE ", IRC},
	{true, "\xff\xfd", "", Telnet}, {true, "\xff\xfb", "", Telnet},
}

// shown is the service that the first payload of one side shows.
func shown(payload []byte, server bool) (Service, bool) {
	payload = payload[:min(len(payload), 1024)]
	for _, s := range spoken {
		if s.server == server && bytes.HasPrefix(payload, []byte(s.prefix)) && bytes.Contains(payload, []byte(s.within)) {
			return s.service, true
		}
	}
	return Other, false
}
