// Package influx writes verdicts to InfluxDB as a time series: how many rows a model decided for each class, and how sure
// it was.
//
//	Predicted → queue → one point for each model and class in an interval → backlog → Client.Post
//
// A point is mlids_verdicts,class=C,model=M rows=…i,confidence_sum=…; the mean confidence of any span of time is the sum
// of confidence_sum by the sum of rows. Queue and backlog are bounded: who classifies never waits for the database, and what
// does not fit is dropped and counted in mlids_influx_rows_dropped_total.
package influx
