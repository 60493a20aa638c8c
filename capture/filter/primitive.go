package filter

import (
	"net/netip"
	"strconv"
	"strings"
)

// primitive reads qualifiers and their identifier.
func (p *parser) primitive() (node, error) {
	at := p.peek()
	switch at.text {
	case "":
		return nil, p.fail(at, "the expression ends where a term is expected")
	case "vlan":
		return p.vlan()
	case "less", "greater":
		return p.size()
	}
	if strings.Contains(at.text, "[") {
		return p.relation()
	}
	q, named := p.qualifiers()
	if !named {
		return p.bare()
	}
	if q.kind == "" && q.dir == "" && !p.identifier() {
		return p.layout.protocol(q.proto, p.tags), nil
	}
	if q.kind == "" {
		q.kind = "host"
	}
	if err := p.agree(at, q); err != nil {
		return nil, err
	}
	p.last = q
	return p.value(q)
}

// bare reads an identifier without words of its own.
func (p *parser) bare() (node, error) {
	at := p.peek()
	if !p.identifier() {
		return nil, p.fail(at, "unknown word %q", at.text)
	}
	if _, err := netip.ParseAddr(at.text); err == nil && p.last.kind == "" {
		p.last = qualifiers{kind: "host"}
	}
	if p.last.kind == "" {
		return nil, p.fail(at, "%q needs host, net, port or proto in front of it", at.text)
	}
	return p.value(p.last)
}

// identifier reports whether the next word may be an address or a number.
func (p *parser) identifier() bool {
	text := p.peek().text
	return text != "" && (text[0] >= '0' && text[0] <= '9' || strings.Contains(text, ":"))
}

// qualifiers reads the words for protocol, direction and kind, and says whether there was any.
func (p *parser) qualifiers() (q qualifiers, named bool) {
	start := p.next
	if _, ok := protocols[p.peek().text]; ok {
		q.proto = p.read().text
	}
	switch text := p.peek().text; text {
	case "src", "dst":
		q.dir = p.read().text
		p.otherDirection(&q)
	}
	switch p.peek().text {
	case "host", "net", "port", "portrange", "proto":
		q.kind = p.read().text
	}
	return q, p.next > start
}

// otherDirection reads the rest of "src or dst" and "src and dst".
func (p *parser) otherDirection(q *qualifiers) {
	if q.dir != "src" || p.next+1 >= len(p.words) || p.words[p.next+1].text != "dst" {
		return
	}
	switch {
	case p.accept("or"):
		q.dir = ""
	case p.accept("and"):
		q.dir = "both"
	default:
		return
	}
	p.next++
}

// agree says whether the protocol can have what is asked for.
func (p *parser) agree(at word, q qualifiers) error {
	ok := true
	switch q.kind {
	case "host", "net":
		ok = q.proto == "" || q.proto == "ip" || q.proto == "ip6" || q.proto == "arp" || q.proto == "rarp"
	case "port", "portrange":
		ok = q.proto == "" || q.proto == "ip" || q.proto == "ip6" || q.proto == "tcp" || q.proto == "udp" || q.proto == "sctp"
	case "proto":
		ok = q.dir == "" && (q.proto == "" || q.proto == "ip" || q.proto == "ip6")
	}
	if !ok {
		return p.fail(at, "%s %s does not go with %s", q.proto, q.dir, q.kind)
	}
	return nil
}

// value reads the identifier that belongs to q.
func (p *parser) value(q qualifiers) (node, error) {
	at := p.read()
	switch q.kind {
	case "host":
		addr, err := netip.ParseAddr(at.text)
		if err != nil || addr.Zone() != "" {
			return nil, p.fail(at, "%q is no IP address", at.text)
		}
		return p.address(at, q, netip.PrefixFrom(addr, addr.BitLen()))
	case "net":
		prefix, err := p.prefix(at)
		if err != nil {
			return nil, err
		}
		return p.address(at, q, prefix)
	case "proto":
		number, ok := protocolNumber(strings.TrimPrefix(at.text, `\`)) // tcpdump wants \tcp, as tcp is a word of its own
		if !ok {
			return nil, p.fail(at, "%q is no IP protocol: a number up to 255, or tcp, udp, icmp …", at.text)
		}
		return p.layout.ipProtocol(q.proto, number, p.tags), nil
	}
	low, high, ok := portRange(at.text, q.kind == "portrange")
	if !ok {
		return nil, p.fail(at, "%q is no %s: numbers up to 65535", at.text, q.kind)
	}
	return p.layout.ports(q, low, high, p.tags), nil
}

// address lowers an address or prefix, if the protocol in front of it has such addresses.
func (p *parser) address(at word, q qualifiers, prefix netip.Prefix) (node, error) {
	if q.proto != "" && prefix.Addr().Is4() == (q.proto == "ip6") {
		return nil, p.fail(at, "%s is no address of %s", at.text, q.proto)
	}
	if prefix.Addr().Is4() {
		return p.layout.address4(q, prefix, p.tags), nil
	}
	return p.layout.address6(q.dir, prefix, p.tags), nil
}

// prefix reads 10.0.0.0/8, 10.1 or 10.0.0.0 mask 255.0.0.0.
func (p *parser) prefix(at word) (netip.Prefix, error) {
	text := at.text
	if dots := strings.Count(text, "."); !strings.ContainsAny(text, ":/") && dots < 3 {
		text += strings.Repeat(".0", 3-dots) + "/" + strconv.Itoa(8*(dots+1))
	} else if p.accept("mask") {
		bits, ok := maskBits(p.read().text)
		if !ok {
			return netip.Prefix{}, p.fail(p.words[min(p.next, len(p.words))-1], "expected a mask such as 255.255.0.0")
		}
		text += "/" + strconv.Itoa(bits)
	} else if !strings.Contains(text, "/") {
		if addr, err := netip.ParseAddr(text); err == nil {
			text += "/" + strconv.Itoa(addr.BitLen())
		}
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return prefix, p.fail(at, "%q is no network: expected one such as 10.0.0.0/8", at.text)
	}
	if prefix != prefix.Masked() {
		return prefix, p.fail(at, "%s has bits set behind its prefix, the network is %s", at.text, prefix.Masked())
	}
	return prefix, nil
}

// maskBits is the length of a prefix from its mask.
func maskBits(text string) (int, bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil || !addr.Is4() {
		return 0, false
	}
	for bits := range 33 {
		if mask4(bits) == be32(addr.AsSlice()) {
			return bits, true
		}
	}
	return 0, false
}

// portRange reads N, or N-M where a range is asked for.
func portRange(text string, ranged bool) (low, high uint16, ok bool) {
	from, to, has := strings.Cut(text, "-")
	if !has {
		to = from
	}
	a, err1 := strconv.ParseUint(from, 10, 16)
	b, err2 := strconv.ParseUint(to, 10, 16)
	return uint16(min(a, b)), uint16(max(a, b)), err1 == nil && err2 == nil && (ranged || !has)
}

// vlan reads vlan and the id that may follow it.
func (p *parser) vlan() (node, error) {
	p.read()
	id := -1
	if at := p.peek(); at.text != "" && at.text[0] >= '0' && at.text[0] <= '9' {
		v, err := strconv.ParseUint(p.read().text, 0, 12)
		if err != nil {
			return nil, p.fail(at, "%q is no VLAN id: 0 to 4095", at.text)
		}
		id = int(v)
	}
	if p.layout.Proto < 0 {
		return nil, p.fail(p.words[p.next-1], "this link has no VLAN tags")
	}
	p.tags++
	return p.layout.vlan(p.tags, id), nil
}

// size reads less N and greater N, which both include N.
func (p *parser) size() (node, error) {
	word, at := p.read(), p.read()
	n, err := strconv.ParseUint(at.text, 10, 32)
	if err != nil {
		return nil, p.fail(at, "%q is no length", at.text)
	}
	return frameLength(word.text == "less", uint32(n)), nil
}
