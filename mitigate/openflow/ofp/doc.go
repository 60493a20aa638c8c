// Package ofp reads and writes the messages of OpenFlow 1.3 (ONF TS-012, version 1.3.4) that a controller and a switch of
// mlids exchange.
//
//	bytes → Reader.Next → Header and body → Decode of the message that Header.Type names
//	message → Append → bytes
//
// Decoding copies nothing: slices in a decoded message point into the bytes it was decoded from. No length that a peer
// claims is believed before it was compared with the bytes that are there. Fields, actions and instructions that mlids
// does not use are skipped and noted as Other, so that flows of another controller can be listed, not understood.
package ofp
