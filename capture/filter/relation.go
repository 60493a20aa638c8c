package filter

import (
	"strconv"
	"strings"

	"golang.org/x/net/bpf"
)

// names are the words that stand for offsets and values in relations.
var names = map[string]uint32{
	"tcpflags": 13, "icmptype": 0, "icmpcode": 1, "icmp6type": 0, "icmp6code": 1,
	"tcp-fin": 0x01, "tcp-syn": 0x02, "tcp-rst": 0x04, "tcp-push": 0x08, "tcp-ack": 0x10, "tcp-urg": 0x20,
	"tcp-ece": 0x40, "tcp-cwr": 0x80,
	"icmp-echoreply": 0, "icmp-unreach": 3, "icmp-redirect": 5, "icmp-echo": 8, "icmp-timxceed": 11,
	"icmp6-echo": 128, "icmp6-echoreply": 129,
}

// relations are the signs that compare.
var relations = map[string]bpf.JumpTest{
	"=": bpf.JumpEqual, "==": bpf.JumpEqual, "!=": bpf.JumpNotEqual, "<": bpf.JumpLessThan, "<=": bpf.JumpLessOrEqual,
	">": bpf.JumpGreaterThan, ">=": bpf.JumpGreaterOrEqual,
}

// relation reads HEADER[OFFSET:SIZE] & MASK = VALUE, size and mask being optional.
func (p *parser) relation() (node, error) {
	at := p.read()
	guard, load, ok := p.field(at.text)
	if !ok {
		return nil, p.fail(at, "expected a field such as tcp[13] or ip[2:2], not %q", at.text)
	}
	field := compare(load, 0, 0)
	if p.accept("&") {
		mask, err := p.constant()
		if err != nil {
			return nil, err
		}
		field = field.masked(mask)
	}
	sign := p.read()
	if field.test, ok = relations[sign.text]; !ok {
		return nil, p.fail(sign, "expected =, !=, <, <=, > or >= behind %s", at.text)
	}
	var err error
	field.value, err = p.constant()
	return all(guard, field), err
}

// field takes HEADER[OFFSET:SIZE] apart: what the packet must be to have it, and what loads it.
func (p *parser) field(text string) (guard node, load []bpf.Instruction, ok bool) {
	header, rest, _ := strings.Cut(strings.TrimSuffix(text, "]"), "[")
	offset, length, sized := strings.Cut(rest, ":")
	size := 1
	if sized {
		size, _ = strconv.Atoi(length)
	}
	off, known := constant(offset)
	if _, ok = protocols[header]; !ok || !known || off > 0xffff || size != 1 && size != 2 && size != 4 || text[len(text)-1] != ']' {
		return nil, nil, false
	}
	return p.layout.index(header, int(off), size, p.tags)
}

// index loads a field of a header. Transport headers are found in whole packets and first fragments; those of TCP, UDP
// and SCTP in IPv4 only, as in tcpdump.
func (l Layout) index(header string, off, size, tags int) (node, []bpf.Instruction, bool) {
	const next6 = 6
	base := l.Network + l.shift(tags)
	switch header {
	case "ip", "ip6", "arp", "rarp":
		return l.protocol(header, tags), load(base+off, size), true
	case "icmp6":
		guard := all(l.protocol("ip6", tags), l.field(tags, next6, 1, uint32(protocols[header])))
		return guard, load(base+40+off, size), true
	}
	whole := l.field(tags, 6, 2, 0).masked(0x1fff)
	guard := all(l.ipProtocol("ip", uint8(protocols[header]), tags), whole)
	return guard, []bpf.Instruction{bpf.LoadMemShift{Off: uint32(base)}, bpf.LoadIndirect{Off: uint32(base + off), Size: size}}, true
}

// constant reads a number or a name, or several of them in parentheses with | between.
func (p *parser) constant() (uint32, error) {
	if !p.accept("(") {
		return p.number()
	}
	value, err := p.number()
	for err == nil && p.accept("|") {
		var more uint32
		more, err = p.number()
		value |= more
	}
	if err == nil && !p.accept(")") {
		err = p.fail(p.peek(), "expected | or )")
	}
	return value, err
}

func (p *parser) number() (uint32, error) {
	at := p.read()
	value, ok := constant(at.text)
	if !ok {
		return 0, p.fail(at, "%q is no number up to 2^32-1, nor a name such as tcp-syn", at.text)
	}
	return value, nil
}

// constant is the value of a number, decimal or as in C, or of a name.
func constant(text string) (uint32, bool) {
	if value, ok := names[text]; ok {
		return value, true
	}
	value, err := strconv.ParseUint(text, 0, 32)
	return uint32(value), err == nil
}
