package label

import (
	"net/netip"
	"slices"

	"mlids"
)

// Rules label flows.
type Rules struct {
	rules []rule
	pairs map[[2]netip.Addr][]int // rules of two whole addresses, by the ordered pair
	wide  []int                   // the others
}

// rule is one row of the file. A field that matches everything is zero: invalid prefix, port and protocol -1.
type rule struct {
	src, dst         netip.Prefix
	srcPort, dstPort int
	proto            int
	start, end       int64
	label            string
}

// Find returns the label of a flow by its key and the time of its first packet, ns since the epoch. It reports false when
// no rule matches.
func (r *Rules) Find(k mlids.FlowKey, first int64) (string, bool) {
	src, dst := k.Src.Netip(), k.Dst.Netip()
	best := len(r.rules)
	for _, list := range [2][]int{r.pairs[pair(src, dst)], r.wide} {
		for _, i := range list {
			if i >= best {
				break
			}
			if r.rules[i].matches(k, src, dst, first) {
				best = i
				break
			}
		}
	}
	if best == len(r.rules) {
		return "", false
	}
	return r.rules[best].label, true
}

// Len is the number of rules.
func (r *Rules) Len() int { return len(r.rules) }

// add appends a rule and indexes it.
func (r *Rules) add(x rule) {
	i := len(r.rules)
	r.rules = append(r.rules, x)
	if !x.src.IsSingleIP() || !x.dst.IsSingleIP() {
		r.wide = append(r.wide, i)
		return
	}
	key := pair(x.src.Addr(), x.dst.Addr())
	r.pairs[key] = append(r.pairs[key], i)
}

// pair is two addresses without a direction.
func pair(a, b netip.Addr) [2]netip.Addr {
	if b.Less(a) {
		a, b = b, a
	}
	return [2]netip.Addr{a, b}
}

func (x *rule) matches(k mlids.FlowKey, src, dst netip.Addr, first int64) bool {
	if first < x.start || first > x.end || x.proto >= 0 && x.proto != int(k.Proto) {
		return false
	}
	return x.ends(src, dst, k.SrcPort, k.DstPort) || x.ends(dst, src, k.DstPort, k.SrcPort)
}

// ends compares addresses and ports in one direction.
func (x *rule) ends(src, dst netip.Addr, srcPort, dstPort uint16) bool {
	return within(x.src, src) && within(x.dst, dst) && port(x.srcPort, srcPort) && port(x.dstPort, dstPort)
}

func within(p netip.Prefix, a netip.Addr) bool { return !p.IsValid() || p.Contains(a) }
func port(want int, got uint16) bool           { return want < 0 || want == int(got) }

// Labels lists the labels that rules give, in the file's order.
func (r *Rules) Labels() []string {
	var labels []string
	for _, x := range r.rules {
		if !slices.Contains(labels, x.label) {
			labels = append(labels, x.label)
		}
	}
	return labels
}
