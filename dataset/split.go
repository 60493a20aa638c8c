package dataset

import (
	"fmt"
	"hash/fnv"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// strata are the groups of equal rows, by the type of each group's first row. Each stratum is in random order.
func (s *Set) strata(seed uint64) (groups []int32, strata [][]int32) {
	g := group(s.Len(), s.keys())
	strata = make([][]int32, len(s.Types))
	for k, row := range g.first {
		t := s.Type[row]
		strata[t] = append(strata[t], int32(k))
	}
	for t, stratum := range strata {
		r := rand.New(rand.NewPCG(seed, nameSeed(s.Types[t])))
		r.Shuffle(len(stratum), func(i, j int) { stratum[i], stratum[j] = stratum[j], stratum[i] })
	}
	return g.of, strata
}

// nameSeed is FNV-1a of a type's name, so that a type's order does not hang on which other types there are.
func nameSeed(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash never fails
	return h.Sum64()
}

// Split parts the set at random: a fraction of each attack type's rows goes to held, but no row that equals one of rest.
// Of a type with two or more different rows both parts get some; a single one stays in rest. Weights do not count, so
// split merged sets. Both parts keep the order of rows.
func (s *Set) Split(fraction float64, seed uint64) (rest, held *Set, err error) {
	if !(fraction > 0 && fraction < 1) {
		return nil, nil, fmt.Errorf("%w: fraction %v; want one between 0 and 1", ErrSplit, fraction)
	}
	groups, strata := s.strata(seed)
	away := make([]bool, len(groups))
	for _, stratum := range strata {
		if n := len(stratum); n > 1 {
			for _, k := range stratum[:min(max(int(math.Round(fraction*float64(n))), 1), n-1)] {
				away[k] = true
			}
		}
	}
	rest, held = s.part(func(row int) bool { return away[groups[row]] })
	if rest.Len() == 0 || held.Len() == 0 {
		return nil, nil, fmt.Errorf("%w: %d rows have too few different ones", ErrSplit, s.Len())
	}
	return rest, held, nil
}

// Folds yields k pairs of a training and a test set for cross-validation. Every row is in one test set; types are spread
// evenly, and equal rows are in the same one.
func (s *Set) Folds(k int, seed uint64) (iter.Seq2[*Set, *Set], error) {
	if k < 2 {
		return nil, fmt.Errorf("%w: %d folds; want at least 2", ErrSplit, k)
	}
	groups, strata := s.strata(seed)
	fold, dealt := make([]int, len(groups)), 0
	for _, stratum := range strata {
		for _, g := range stratum {
			fold[g] = dealt % k
			dealt++
		}
	}
	if dealt < k {
		return nil, fmt.Errorf("%w: %d folds of %d different rows", ErrSplit, k, dealt)
	}
	return func(yield func(train, test *Set) bool) {
		for f := range k {
			if !yield(s.part(func(row int) bool { return fold[groups[row]] == f })) {
				return
			}
		}
	}, nil
}

// HoldOut takes whole attack types out, as a test of how a model does on attacks that it never saw. A row of another type
// that equals a held one stays in rest.
func (s *Set) HoldOut(types ...string) (rest, held *Set, err error) {
	out := make([]bool, len(s.Types))
	for _, name := range types {
		t := slices.Index(s.Types, name)
		if t < 0 {
			return nil, nil, fmt.Errorf("%w: no type %q; there are %s", ErrSplit, name, strings.Join(s.Types, ", "))
		}
		out[t] = true
	}
	rest, held = s.part(func(row int) bool { return out[s.Type[row]] })
	return rest, held, nil
}

// part parts the rows.
func (s *Set) part(away func(row int) bool) (rest, held *Set) {
	var stay, leave []int32
	for row := range s.Len() {
		if away(row) {
			leave = append(leave, int32(row))
		} else {
			stay = append(stay, int32(row))
		}
	}
	return s.Subset(stay), s.Subset(leave)
}
