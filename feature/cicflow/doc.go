// Package cicflow turns packets into flows with the columns of CICFlowMeter, in the two dialects that data sets hold.
//
//	x, err := cicflow.New(cicflow.Config{Schema: schema}, func(r *cicflow.Row) { ... })
//	x.Add(packet) // for each packet
//	x.Flush()     // at the end
//
// # Dialects
//
// cicflow/v4 is the corrected tool with which Engelen, Rimmer and Joosen ("Troubleshooting an Intrusion Detection
// Dataset: the CICIDS2017 Case Study", WTMC 2021) and Liu, Engelen, Lynar, Essam and Joosen ("Error Prevalence in NIDS
// datasets", IEEE CNS 2022) made CICIDS2017 and CSE-CIC-IDS2018 again. cicflow/2018 is what the original files of
// CSE-CIC-IDS2018 hold. cicflow/common has the columns that mean the same in both, over the flows of cicflow/v4. What the
// columns mean is in the schemas of package feature; docs/features.md lists where the dialects and the tools differ.
//
// # Numbers
//
// Lengths are of transport payloads, times whole microseconds. Means and deviations are computed with the operations of
// Apache Commons Math 3 (Welford's method) in their order, and so come out bit for bit as the tools print them, on any
// processor. A statistic of nothing is 0; the rates of a flow without duration are -1 in v4 and NaN or infinite in 2018,
// as in the tools' files.
//
// What a [Writer] prints reads back as the same float64, and [Row.Vector] rounds that to float32 as a reader of the file
// does: a model sees live what it was trained on.
//
// # Limits
//
// The tables are bounded by Config.MaxFlows (about 750 bytes each), the memory of cut connections by half as many
// (about 70 bytes each), and the memory for repeated TCP packets by 16 million packets (4 bytes each): connections
// beyond that report fewer repetitions.
package cicflow
