package filter_test

import (
	"fmt"

	"golang.org/x/net/bpf"

	"mlids/capture/filter"
)

func ExampleCompile() {
	program, err := filter.Compile("tcp and not net 10.0.0.0/8", filter.Layout{Proto: -1}, 65535)
	if err != nil {
		fmt.Println(err)
		return
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		fmt.Println(err)
		return
	}
	packet := make([]byte, 40)
	packet[0], packet[9] = 0x45, 6 // IPv4, TCP
	packet[12], packet[16] = 192, 192
	keep, _ := vm.Run(packet)
	fmt.Println("outside:", keep)
	packet[12] = 10
	keep, _ = vm.Run(packet)
	fmt.Println("inside:", keep)
	// Output:
	// outside: 65535
	// inside: 0
}
