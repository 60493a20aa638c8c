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
	runs := flag.Int("runs", 1, "how often each attack is run, each time in a new network")
	mininet := flag.Bool("mininet", false, "let Mininet build the network")
	testing.Init() // the networks are those of tests
	flag.Parse()
	l := &laboratory{w: os.Stdout, mlids: *mlids, out: *out, only: *only, runs: *runs, lasts: *lasts, build: namespaces, where: "network namespaces"}
	if *mininet {
		l.build, l.where, l.prefix = withMininet, "Mininet", "mininet-"
	}
	if err := l.run(); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

// laboratory says what is tried, and where.
type laboratory struct {
	w          io.Writer
	mlids, out string
	only       string
	runs       int
	lasts      time.Duration
	build      func(testing.TB) lab
	where      string
	prefix     string // of the pictures' names
}

// run runs the scenarios, each in a network of its own.
func (l *laboratory) run() error {
	if err := os.MkdirAll(l.out, 0o755); err != nil { //nolint:gosec // pictures for everybody
		return fmt.Errorf("folder of pictures: %w", err)
	}
	fmt.Fprintf(l.w, "h1 and an attacker on switch s1, h2 on switch s2, in %s; each attack lasts %v\n", l.where, l.lasts)
	var results []*result
	var errs []error
	for i, a := range attacks(l.lasts) {
		if l.only != "" && a.name != l.only {
			continue
		}
		// The first attack meets pings, whose delay is to be seen; the others meet TCP as fast as it goes.
		some, err := l.repeat(a, i > 0)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", a.name, err))
		}
		if len(some) > 0 {
			results = append(results, middle(some))
			errs = append(errs, draw(filepath.Join(l.out, l.prefix+a.short+".svg"), middle(some)))
		}
		if len(some) > 1 {
			fmt.Fprintln(l.w, spread(some))
		}
	}
	if len(results) > 0 {
		errs = append(errs, table(l.w, results))
		fmt.Fprintf(l.w, "\npictures: %s/%s*.svg\n%s\n", l.out, l.prefix, results[0].verdict())
	}
	return errors.Join(errs...)
}

// repeat runs an attack as often as was asked for. What mlids logged in a run that took too long is kept.
func (l *laboratory) repeat(a attack, tcp bool) (results []*result, err error) {
	for range l.runs {
		var res *result
		err := bench(func(b *stage) {
			r := newRig(b, l.build, l.mlids)
			if res = r.attack(a, tcp); !res.blocked || res.after() > time.Second {
				r.keepLog(filepath.Join(l.out, fmt.Sprintf("%s%s-%d.log", l.prefix, a.short, len(results)+1)))
			}
		})
		if err != nil {
			return results, err
		}
		results = append(results, res)
		fmt.Fprintln(l.w, res)
	}
	return results, nil
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
