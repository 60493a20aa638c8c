// Package mlids is a network intrusion detection system: packets become flows, flows become feature vectors, vectors
// become verdicts of models that it trains itself, and verdicts notifications that are not lost and blocks in the network.
//
//	live:   capture → flow → feature → model → detect → alert → notify
//	                                                          ↘ mitigate
//	train:  dataset → learn → report
//	               ↘ model
//
// Each stage is a folder. A stage imports this package and the stages to its left, never one to its right; only cmd/mlids
// knows them all. This package holds the nouns that the stages share and no behaviour of its own.
package mlids
