// Package kdd99 turns packets into the connection records of the KDD Cup 1999: 41 columns, in the order and with the
// names of the schema kdd99/1 of package feature.
//
//	packet → connection (state, bytes, content) → windows over earlier connections → Record
//
// An [Extractor] takes packets in the order in which they were captured and hands out one [Record] for each connection
// when that has ended. An [Encoder] writes records as CSV or JSON lines and gives them to models as vectors; the printed
// row, read again, gives the same numbers as the vector.
//
// # What a connection is
//
// TCP connections and UDP conversations go by addresses and ports; each ICMP message is a connection of its own, as in
// the data (there every ICMP row has duration 0 and no answer). The states are those of Bro, see [Flag]. Other protocols
// have no place in the data and give no record; [Stats] counts them.
//
// # Windows
//
// A connection takes its place among the others when it begins, and its windows look back from there, but they are
// counted when it ends, because only then is known how the connections before it went. What the data show, and
// [KDD99] does, differs from the published description in three ways: both windows also count the connection itself;
// the last 255 connections to all hosts, not 100 to each, make the host window, and at most 511 the 2-second window; and
// a rate of different services or hosts counts how many different ones there are, not the connections to them. The page
// docs/kdd99.md has the figures. [Gure] follows the other public reference, the program behind gureKddcup.
//
// So one extractor must see all connections of the network that its windows are to describe: packets cannot be divided
// among several by flow without changing the columns.
//
// # Memory
//
// A connection costs some 300 bytes, one whose text is being read 1 kB more; the number of open ones is bounded. The
// windows need the latest connections only, whatever hosts they go to: their history is a ring of bounded size.
package kdd99
