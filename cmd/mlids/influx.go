package main

import (
	"os"
	"strings"

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

// holdsAddress reports whether a flag's value has the address of a database in it, and so perhaps a password.
func holdsAddress(value string) bool {
	return strings.Contains(value, "influxdb://") || strings.Contains(value, "influxdbs://")
}
