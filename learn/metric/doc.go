// Package metric measures classifiers: what Evaluate finds fits on one page, with the false-positive rate beside every
// recall, and recall per attack type.
//
// Rows have weights (a row of weight 3 counts as three). The attack score of a row is 1 - P(benign), the benign class is
// class 0, and a row is flagged when its score is at least the threshold. Rows of equal score are never told apart by
// the order they come in.
package metric
