package influx_test

import (
	"fmt"

	"mlids/dataset/influx"
)

// An address is shown without its password.
func ExampleParse() {
	a, err := influx.Parse("influxdbs://ann:secret@db.example:8086/kdd?measurement=traffic&limit=1000", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a, a.Limit)
	_, err = influx.Parse("influxdb://ann:secret@db.example/kdd?measurment=traffic", nil)
	fmt.Println(err)
	// Output:
	// influxdbs://ann@db.example:8086/kdd?measurement=traffic 1000
	// unusable address influxdb://ann@db.example:8086/kdd: parameter measurment: not known; there are bucket, ca, end, label, limit, measurement, name, org, password_file, start, timeout, token, token_file, where
}
