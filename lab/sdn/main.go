// Command sdn is the laboratory of the network that defends itself: it builds the topology of the demonstration, lets an
// attacker loose in it, and prints what came of it.
//
//	go run ./lab/sdn --mlids .build/bin/mlids --out .build/lab
//
// It needs root, Open vSwitch, hping3, iperf3 and tcpdump (lab/tools.sh installs them), and leaves nothing running.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"text/tabwriter"
	"time"
)

func main() {
	mlids := flag.String("mlids", "mlids", "the program")
	out := flag.String("out", ".", "folder for pictures")
	lasts := flag.Duration("attack", 10*time.Second, "how long each attack lasts")
	only := flag.String("only", "", "run the attack of this name alone")
	testing.Init() // the networks are those of tests
	flag.Parse()
	if err := run(os.Stdout, *mlids, *out, *only, *lasts); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

// run runs the scenarios, each in a network of its own.
func run(w io.Writer, mlids, out, only string, lasts time.Duration) error {
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // pictures for everybody
		return fmt.Errorf("folder of pictures: %w", err)
	}
	var results []*result
	var errs []error
	for i, a := range attacks(lasts) {
		if only != "" && a.name != only {
			continue
		}
		var res *result
		err := bench(func(b *stage) {
			// The first attack meets pings, whose delay is to be seen; the others meet TCP as fast as it goes.
			res = newRig(b, mlids).attack(a, i > 0)
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", a.name, err))
			continue
		}
		results = append(results, res)
		all, _ := res.kept()
		fmt.Fprintf(w, "ping: normal, %.0f%% lost; %s: %s, blocked after %d ms, %.2f%% dropped\n", res.before.lost(), a.short, res.record.Class, res.after().Milliseconds(), all)
		if err := draw(filepath.Join(out, a.short+".svg"), res); err != nil {
			errs = append(errs, err)
		}
	}
	errs = append(errs, table(w, results))
	if len(results) > 0 {
		fmt.Fprintf(w, "\npictures: %s\n", out)
	}
	return errors.Join(errs...)
}

// table prints the results side by side.
func table(w io.Writer, results []*result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nattack\tclass\tblocked after\tpackets sent\tarrived\tkept\tafter the block\tpings lost\tmedian RTT before, meanwhile\tTCP before, meanwhile\tmeasure")
	for _, r := range results {
		all, after := r.kept()
		pings, tcp := "–\t–", "–"
		if r.during.sent > 0 {
			pings = fmt.Sprintf("%.1f%%\t%v, %v", r.during.lost(), r.before.median(), r.during.median())
		}
		if r.mbitBefore > 0 {
			tcp = fmt.Sprintf("%.0f, %.0f Mbit/s", r.mbitBefore, r.mbitDuring)
		}
		fmt.Fprintf(t, "%s\t%s\t%d ms\t%d\t%d\t%.2f%%\t%.3f%%\t%s\t%s\t%s %v\n", r.attack.name, r.record.Class, r.after().Milliseconds(),
			len(r.sent), len(r.arrived), all, after, pings, tcp, r.record.Kind, r.record.Match.Match())
	}
	return t.Flush()
}
