// Package deliver brings the messages of a stream to ways out, each at least once.
//
//	Feed.Next → filter → Sink.Send → acknowledged
//	                   ↘ failed: again later, with back-off and jitter
//	                   ↘ refused for good, tried too often, or too old: a dead letter
//
// Every way out has a goroutine and a position of its own, so one that is dead or slow holds no other up.
package deliver
