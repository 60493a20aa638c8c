// Command mlids is a network intrusion detection system: it reads captures and flow tables, trains models on them, serves
// and explains their verdicts. Each verb has a file of its own; they parse flags, wire stages and print.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(process()) }

// process runs the command line of the process until it ends or is interrupted.
func process() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	return run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
}
