// Package influx reads tables from InfluxDB and writes them to it.
//
//	influxdb://[user:pass@]host:port/database?measurement=traffic → Address → Client → Read, Write
//
// It speaks HTTP with InfluxDB 1.x: queries in InfluxQL, answered in chunks of msgpack, and writes in line protocol.
// InfluxDB 2 and 3 answer the same queries in JSON; with org=, bucket= or a token they are written to by /api/v2/write.
//
// # Rows
//
// A row is a point. Its time gives the order: the rows of a table are written one nanosecond apart, so that no two share
// a time (points of equal time and tags overwrite each other) and they come back in the order of the table. The label is
// a tag, which GROUP BY needs; numbers are float fields, and categories and texts are string fields. What is missing is
// left out of the point. A table in which every column has gaps also gets the field "row", so that no point is empty.
//
// InfluxDB has no columns without values: what is missing in every row does not come back.
package influx

import "errors"

// Errors of this package; they come wrapped with what was asked of which server. None shows a password or a token.
var (
	ErrAddress = errors.New("unusable address")       // the address is not understood, or lacks something
	ErrAccess  = errors.New("access refused")         // wrong or missing credentials, or no right to do it
	ErrServer  = errors.New("refused by the server")  // the server does not do what it is asked
	ErrLost    = errors.New("server lost")            // no server, or it went away, or is too slow
	ErrRows    = errors.New("rows are not all there") // the server has or sends fewer rows than it should
)
