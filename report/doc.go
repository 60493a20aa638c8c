// Package report makes pages that a person reads: what a table of flows is, and what a model is worth.
//
//	dataset.Table → Inspect → DataReport → WriteData → one HTML file
//	model.Info, metric.Evaluation, learn.Comparison → ModelReport → WriteModel → one HTML file
//
// The structs are the same figures for machines: they marshal to JSON and hold finite numbers only. A page is one file:
// style and pictures (SVG) are inside it, no script, nothing from elsewhere, and every name from the data is escaped.
package report
