package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// unloadStart gives back the memory of those parts of the program that only its start needed: the libraries for clouds and
// queues set themselves up whatever the verb is, which leaves 30 MB of the program's file in memory. What is needed again
// comes back from the page cache by itself.
func unloadStart() {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return // a system without it has more memory in use, and works
	}
	path, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	lines := bufio.NewScanner(bytes.NewReader(maps))
	for lines.Scan() {
		var from, to uintptr
		var may, offset, device, inode, file string
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x %s %s %s %s %s", &from, &to, &may, &offset, &device, &inode, &file); n < 7 ||
			file != path || may[1] == 'w' {
			continue
		}
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED) // nothing is lost when it is refused
	}
}
