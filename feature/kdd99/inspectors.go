package kdd99

// maxInspectors bounds how many connections are read at a time, some 1 kB each. Connections beyond that have no content
// columns.
const maxInspectors = 1 << 16

// inspectors lends inspectors by number; 0 is none.
type inspectors struct {
	all    []*inspector
	free   []int32
	denied uint64
}

func (p *inspectors) take(d dialog) int32 {
	if n := len(p.free); n > 0 {
		id := p.free[n-1]
		p.free = p.free[:n-1]
		*p.at(id) = inspector{dialog: d}
		return id
	}
	if len(p.all) == maxInspectors {
		p.denied++
		return 0
	}
	p.all = append(p.all, &inspector{dialog: d})
	return int32(len(p.all))
}

func (p *inspectors) at(id int32) *inspector { return p.all[id-1] }

func (p *inspectors) give(id int32) { p.free = append(p.free, id) }
