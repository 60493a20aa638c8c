package data

import (
	"math"

	"mlids/dataset"
)

// HoldBack parts a set for calibration: about a fifth of the rows go to held, equal rows to the same side. A class that
// only one side would have is on both.
func HoldBack(s *dataset.Set, seed uint64) (rest, held *dataset.Set) {
	s = Complete(s)
	key := keys(s, seed)
	count := make([][2]int, len(s.Classes))
	for i, c := range s.Class {
		count[c][side(key[i])]++
	}
	var rows [2][]int32
	for i, c := range s.Class {
		for k := range rows {
			if k == side(key[i]) || count[c][k] == 0 {
				rows[k] = append(rows[k], int32(i))
			}
		}
	}
	return s.Subset(rows[0]), s.Subset(rows[1])
}

// Complete fills in what a set may lack: a weight of 1 for each row, and the class as its type.
func Complete(s *dataset.Set) *dataset.Set {
	out := *s
	if out.Type == nil {
		out.Type, out.Types = out.Class, out.Classes
	}
	if out.Weight == nil {
		out.Weight = make([]float32, s.Len())
		for i := range out.Weight {
			out.Weight[i] = 1
		}
	}
	return &out
}

func side(key uint64) int {
	if key%5 == 0 {
		return 1
	}
	return 0
}

// keys is a hash of each row's inputs.
func keys(s *dataset.Set, seed uint64) []uint64 {
	key := make([]uint64, s.Len())
	for i := range key {
		key[i] = seed
	}
	for _, x := range s.X {
		for i, v := range x {
			key[i] = Mix(key[i] ^ uint64(math.Float32bits(v)))
		}
	}
	return key
}

// Mix is the finaliser of SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014).
func Mix(z uint64) uint64 {
	z += 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
