// Package dataset reads tables of flows and makes them into what learners and models take.
//
//	CSV, split JSON, Parquet → Table → Merge → Set → Split, Folds, HoldOut
//	request body → SplitDecoder, RecordDecoder → row-major vectors
//
// A [Table] is columnar and follows a feature.Schema: float32 numbers, categories as indexes, labels as dictionary
// codes. [Classes] says which class each label belongs to, and [Table.Set] then gives the one-hot expanded, weighted
// [Set] that learners take. The decoders skip the table: they turn a request's body straight into a model's inputs.
//
// # Values
//
// One function, [ParseNumber], reads every number of every format, so that training and serving see the same bits.
// Decimal text is rounded to the nearest float64 and that to the nearest float32, as the tools that write these files
// (Java, pandas) and our own feature code hold float64. Empty text, null, NaN, NA and None are missing and become NaN.
// Infinity is missing too: pandas writes it as null in JSON, so a model that was trained on it from CSV would never see
// it in a request. What is finite but too large for float32 becomes ±[math.MaxFloat32], and negative zero becomes zero.
// True and false are 1 and 0. No infinity is ever in a table.
//
// A category is the index in feature.Column.Categories; -1 is a value that is not among them, NaN a missing one. One-hot
// inputs are then 1 for the row's category and 0 for others; all 0 for an unseen value, all NaN for a missing one.
//
// # Errors
//
// Text that cannot be read is refused with one of the sentinel errors below, wrapped with source, line (CSV) or row
// (JSON, Parquet) and column, and with what would be right. Every size that a source decides is bounded by [Limits].
package dataset

import "errors"

// Errors of this package; they come wrapped with where they happened and what would be right.
var (
	ErrSyntax = errors.New("malformed input")  // the text is not CSV, JSON, gzip or Parquet
	ErrColumn = errors.New("wrong columns")    // a column is missing, given twice or unknown
	ErrValue  = errors.New("wrong value")      // a value does not fit its column
	ErrLimit  = errors.New("input too large")  // a limit was exceeded
	ErrLabel  = errors.New("wrong label")      // a label without class, or no labels where they are needed
	ErrSource = errors.New("unusable source")  // the name of a source is not understood
	ErrSplit  = errors.New("cannot split set") // a fraction, fold count or attack type that the set cannot give
)
