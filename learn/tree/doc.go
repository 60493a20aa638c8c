// Package tree grows decision trees from histograms: one tree (Config), or a boosted sequence of them (Boost).
//
//	set → columns of at most 255 bins → equal rows merged → histograms per leaf → best split → forest
//
// Sums in histograms are sums of integers: gradients are rounded to a fixed-point grid once per tree. Integer sums do
// not depend on their order, so a forest is the same, bit for bit, on any number of cores. Rows are kept as the short
// lists of the bins in which they differ from each column's most frequent one; one-hot inputs cost no more than the
// column they were made of.
//
// Sources: Friedman, Greedy function approximation: a gradient boosting machine, Annals of Statistics 29 (2001); Chen and
// Guestrin, XGBoost, KDD 2016; Ke et al., LightGBM, NIPS 2017; Shi et al., Quantized training of gradient boosting
// decision trees, NeurIPS 2022; Breiman et al., Classification and regression trees, 1984.
package tree
