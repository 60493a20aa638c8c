// Package door decides who may come in, and how much they may ask.
//
//	request → key, token or certificate → Caller (role, rates) → role of the route → rate → handler
//
// Keys are 256 random bits each and kept as SHA-256: no dictionary has them, so a slow hash would only slow the server down.
// A [Guard] that was given no key, token issuer or client CA is open: whoever reaches its door may do everything, and a
// server must then listen on the loopback alone unless told otherwise.
package door
