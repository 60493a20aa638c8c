//go:build race

package testdata

// Race says whether the race detector is built in: it drops pooled memory, and makes all rows of a data set take minutes.
const Race = true
