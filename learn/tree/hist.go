package tree

import "sync"

// A pair holds a sum of gradients (upper half, signed) and a sum of hessians (lower half, never negative) in fixed point.
// Pairs add and subtract as plain integers as long as the sum of all absolute gradients stays below 2^31 and that of the
// hessians below 2^32.
type pair = int64

// hist is the histogram of a leaf: a pair for each bin, by block.
type hist []*[blockBins]pair

// pool keeps histograms for reuse.
type pool struct {
	mu   sync.Mutex
	t    *table
	free []hist
}

// get returns a histogram of zeros.
func (p *pool) get() hist {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		h := p.free[n-1]
		p.free = p.free[:n-1]
		for i := range h {
			clear(h[i][:p.t.blocks[i].bins])
		}
		return h
	}
	h := make(hist, len(p.t.blocks))
	for i := range h {
		h[i] = new([blockBins]pair)
	}
	return h
}

func (p *pool) put(h hist) {
	if h == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, h)
}

// add adds the rows' pairs to the bins that the rows' lists have.
func (b *block) add(h *[blockBins]pair, rows []uint32, pairs []pair) {
	for _, r := range rows {
		v := pairs[r]
		for _, q := range b.quads[b.start[r]:b.start[r+1]] {
			h[q[0]] += v
			h[q[1]] += v
			h[q[2]] += v
			h[q[3]] += v
		}
	}
}

// few is the number of rows below which it does not pay to share work.
const few = 2048

// build makes the histogram of rows whose pairs sum to total.
func (t *table) build(p *pool, rows []uint32, pairs []pair, total pair, workers int) hist {
	if len(rows) < few {
		workers = 1
	}
	parts := make([]hist, workers)
	chunks(len(rows), workers, func(w, lo, hi int) {
		parts[w] = p.get()
		for i := range t.blocks {
			t.blocks[i].add(parts[w][i], rows[lo:hi], pairs)
		}
	})
	h := parts[0]
	for _, part := range parts[1:] {
		for i := range t.blocks {
			n := t.blocks[i].bins
			for k, v := range part[i][:n] {
				h[i][k] += v
			}
		}
		p.put(part)
	}
	t.complete(h, total)
	return h
}

// complete fills in the usual bin of each column: what the others lack of the total.
func (t *table) complete(h hist, total pair) {
	for i := range t.columns {
		c := &t.columns[i]
		bins := h[c.block][c.first:][:c.bins()]
		rest := total
		for _, v := range bins {
			rest -= v
		}
		bins[c.usual] = rest
	}
}

// subtract leaves in h what is not in part.
func (t *table) subtract(h, part hist) {
	for i := range t.blocks {
		n := t.blocks[i].bins
		a, b := h[i][:n], part[i][:n]
		for k, v := range b {
			a[k] -= v
		}
	}
}
