package sagemaker

import (
	"fmt"
	"net/http"

	"mlids/dataset"
)

// chunk is a part of a table: rows from (inclusive) to (exclusive), and how long their document is.
type chunk struct{ from, to, size int }

const (
	opening = `{"columns":`
	middle  = `,"data":[`
	closing = `]}`
)

// split cuts a table into documents of at most so many bytes.
func split(rows *dataset.Rows, most int) ([]chunk, error) {
	frame := len(opening) + len(rows.RawColumns()) + len(middle) + len(closing)
	var chunks []chunk
	last := chunk{size: frame}
	for i := range rows.N {
		n := len(rows.Raw(i)) + 1 // a comma
		if frame+n > most {
			return nil, &Error{
				status: http.StatusRequestEntityTooLarge, Class: classRefused,
				text: fmt.Sprintf("row %d has %d bytes; with the columns at most %d fit into a call of the endpoint", i+1, n-1, most),
			}
		}
		if last.size+n > most {
			chunks = append(chunks, last)
			last = chunk{from: i, size: frame}
		}
		last.to, last.size = i+1, last.size+n
	}
	if last.to > last.from {
		chunks = append(chunks, last)
	}
	return chunks, nil
}

// document writes a part of a table as split JSON; columns and values are spelled as the client did.
func (c chunk) document(rows *dataset.Rows) []byte {
	text := append(make([]byte, 0, c.size), opening...)
	text = append(text, rows.RawColumns()...)
	text = append(text, middle...)
	for i := c.from; i < c.to; i++ {
		if i > c.from {
			text = append(text, ',')
		}
		text = append(text, rows.Raw(i)...)
	}
	return append(text, closing...)
}
