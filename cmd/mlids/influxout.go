package main

import (
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"mlids/dataset/influx"
	series "mlids/notify/influx"
)

// influxWriter makes what writes verdicts to the database of an address; nil for none.
func (a *app) influxWriter(address string, register prometheus.Registerer) (*series.Writer, error) {
	if address == "" {
		return nil, nil
	}
	parsed, err := influx.Parse(address, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	client, err := influx.New(parsed, influx.Deps{Log: a.log})
	if err != nil {
		return nil, err
	}
	return series.New(series.Config{Measurement: parsed.Measurement}, series.Deps{Log: a.log, Register: register, Database: client})
}
