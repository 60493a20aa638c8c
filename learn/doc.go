// Package learn makes models of labelled tables: it trains (Learner), validates on rows that training has not seen
// (CrossValidate, HoldOutTypes), sets thresholds at a false-positive budget, selects inputs, and compares algorithms
// within a time budget (Auto).
//
//	dataset.Set → Learner.Fit → Fitted → model.Model
//	                               ↘ Score → metric.Evaluate
//
// The algorithms live below: tree (a decision tree, boosted trees), svm, mlp and anomaly; metric measures.
package learn
