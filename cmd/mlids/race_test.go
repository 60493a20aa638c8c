//go:build race

package main

// raceDetector makes a program several times slower: the command lines of the tests run another build then.
const raceDetector = true
