package label_test

import (
	"fmt"
	"strings"
	"time"

	"mlids/feature/label"
)

func ExampleRead() {
	rules, err := label.Read(strings.NewReader(`src_ip,dst_ip,dst_port,protocol,start,end,label
172.16.0.1,192.168.10.50,21,tcp,2017-07-04 09:20:00,2017-07-04 10:20:00,FTP-Patator
192.168.10.0/24,*,,,,,BENIGN
`), "tuesday.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	began := time.Date(2017, 7, 4, 9, 30, 0, 0, time.UTC).UnixNano()
	fmt.Println(rules.Find(key("172.16.0.1", 52108, "192.168.10.50", 21, 6), began))
	fmt.Println(rules.Find(key("192.168.10.3", 53, "192.168.10.17", 7769, 17), began))
	fmt.Println(rules.Find(key("10.0.0.1", 1, "10.0.0.2", 2, 17), began))
	// Output:
	// FTP-Patator true
	// BENIGN true
	//  false
}
