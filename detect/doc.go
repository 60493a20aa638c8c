// Package detect is the live path: packets in, verdicts out.
//
//	packet → extractor (one per schema) → vectors → model → Finding
//
// Several models may watch the same packets; those of one schema share its extractor. Findings come in the order in which
// flows ended, which depends on nothing but the packets.
package detect
