package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"mlids"
	"mlids/dataset"
	"mlids/feature"
	"mlids/feature/cicflow"
	"mlids/feature/kdd99"
	"mlids/feature/label"
	"mlids/flow"
)

// flowsFlags are the flags of flows.
type flowsFlags struct {
	packets packetFlags
	schema  string
	labels  string
	out     string
}

func (a *app) flows() *cobra.Command {
	var f flowsFlags
	cmd := &cobra.Command{
		Use:   "flows FILE.pcap | --interface IF",
		Short: "Turn a capture or an interface into a table of flows",
		Example: `  mlids flows traffic.pcap > flows.csv
  mlids flows traffic.pcap --schema kdd99 -o json
  mlids flows traffic.pcap --label-file labels.csv --out flows.parquet -o parquet`,
		Annotations: map[string]string{"output": "human csv json parquet"},
		Args:        cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.packets.arg(args); err != nil {
				return err
			}
			return a.runFlows(cmd.Context(), &f)
		},
	}
	flags := cmd.Flags()
	f.packets.register(flags)
	flags.StringVar(&f.schema, "schema", "cicflow", "columns to compute: kdd99, cicflow/v4, cicflow/2018, cicflow/common")
	flags.StringVar(&f.labels, "label-file", "", "CSV of rules that label flows by flow_id, src_ip, dst_ip, src_port, dst_port, protocol, start, end, timestamp")
	flags.StringVar(&f.out, "out", "", "file to write (default: stdout)")
	return cmd
}

func (a *app) runFlows(ctx context.Context, f *flowsFlags) (err error) {
	catalogue, err := feature.Schemas()
	if err != nil {
		return err
	}
	schema, err := catalogue.Find(f.schema)
	if err != nil {
		return badInput(err)
	}
	labels, err := readLabels(f.labels)
	if err != nil {
		return badInput(err)
	}
	out := a.out
	if f.out != "" {
		file, err := os.Create(f.out)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	if a.format == "parquet" {
		return a.flowsParquet(ctx, f, schema, labels, out)
	}
	return a.flowsText(ctx, f, schema, labels, out)
}

// flowsText prints flows as CSV, or as JSON lines.
func (a *app) flowsText(ctx context.Context, f *flowsFlags, schema *feature.Schema, labels *label.Rules, out io.Writer) error {
	s := &flowSink{labels: labels, beside: !f.packets.endless() && runtime.GOMAXPROCS(0) > 1, ended: map[string]int{}, started: time.Now()}
	s.close = func() {}
	defer func() { s.close() }() // if Flush was never reached
	if err := s.open(schema, f.packets.maxFlows, out, a.json()); err != nil {
		return badInput(err)
	}
	f.packets.decoder.HeadersOnly = schema.Name != "kdd99" // which reads what is said
	counters, err := a.packets(ctx, &f.packets, s)
	if counters.Packets > 0 || err == nil { // a source that never gave a packet has nothing to sum up
		a.summary(counters)
		s.summary(a.err, counters.Packets)
	}
	return err
}

// flowsParquet reads the CSV as any reader would, so that a Parquet file holds the same numbers.
func (a *app) flowsParquet(ctx context.Context, f *flowsFlags, schema *feature.Schema, labels *label.Rules, out io.Writer) error {
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := a.flowsText(ctx, f, schema, labels, w)
		w.Close() // whatever was wrong with the source, what came before counts
		done <- err
	}()
	err := dataset.StreamParquet(context.WithoutCancel(ctx), out, r, schema, "flows")
	_ = r.CloseWithError(errors.New("flows: the table cannot be written"))
	return cmp.Or(err, <-done)
}

func readLabels(path string) (*label.Rules, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return label.Read(f, path)
}

// extractor turns packets into rows.
type extractor interface {
	Add(p *mlids.Packet)
	Advance(now int64)
	Flush()
}

// flowSink computes flows from packets and prints them.
type flowSink struct {
	extractor extractor
	flush     func() error
	beside    bool   // rows are printed on a goroutine of its own
	close     func() // waits for it
	labels    *label.Rules
	failed    atomic.Bool // err is set, maybe by that goroutine
	err       error
	flows     int
	ended     map[string]int // flows by the reason for which they ended
	leftOut   func() string  // what the schema has no rows for
	started   time.Time
}

// open makes the extractor and the writer of a schema.
func (s *flowSink) open(schema *feature.Schema, maxFlows int, out io.Writer, asJSON bool) error {
	switch schema.Name {
	case "cicflow":
		writer := cicflow.NewCSV(out, schema)
		if asJSON {
			writer = cicflow.NewJSON(out, schema)
		}
		s.flush = writer.Flush
		emit := relayed(s, (*cicflow.Row).MoveTo, func(r *cicflow.Row) {
			r.Label = s.note(r.Wire, r.First, r.Reason)
			s.keep(writer.Write(r))
		})
		x, err := cicflow.New(cicflow.Config{Schema: schema, MaxFlows: maxFlows}, emit)
		if err != nil {
			return err
		}
		s.extractor = x
		s.leftOut = func() string { return some("; left out for having one packet", x.Stats().Flows-uint64(s.flows)) }
	case "kdd99":
		writer := bufio.NewWriterSize(out, 1<<16)
		format := (*kdd99.Row).AppendCSV
		if asJSON {
			format = (*kdd99.Row).AppendJSON
		}
		var line []byte
		s.flush = writer.Flush
		emit := relayed(s, (*kdd99.Row).MoveTo, func(r *kdd99.Row) {
			r.Label = s.note(r.Key, r.First, r.Reason)
			line = append(format(r, line[:0]), '\n')
			_, err := writer.Write(line)
			s.keep(err)
		})
		x, err := kdd99.New(kdd99.Config{Schema: schema, MaxFlows: maxFlows}, emit)
		if err != nil {
			return err
		}
		s.extractor = x
		s.leftOut = func() string { return some("; packets of other protocols", x.Stats().Ignored) }
	default:
		return fmt.Errorf("schema %s cannot be computed from packets", schema.ID())
	}
	return nil
}

// some is what there is n of, nothing for 0.
func some(what string, n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s %d", what, n)
}

// relayed is take, on a goroutine of its own if s says so.
func relayed[R any](s *flowSink, moveTo func(src, dst *R), take func(*R)) func(*R) {
	if !s.beside {
		return take
	}
	relay := flow.NewRelay(func(dst, src *R) { moveTo(src, dst) }, take)
	s.close = sync.OnceFunc(relay.Close)
	return relay.Add
}

// note counts a flow and finds its label.
func (s *flowSink) note(k mlids.FlowKey, first int64, reason mlids.EndReason) string {
	s.flows++
	s.ended[reason.String()]++
	if s.labels == nil {
		return ""
	}
	l, _ := s.labels.Find(k, first)
	return l
}

// keep remembers the first error.
func (s *flowSink) keep(err error) {
	if err != nil && !s.failed.Load() {
		s.err = err
		s.failed.Store(true)
	}
}

// Add takes the next packet.
func (s *flowSink) Add(p *mlids.Packet) error {
	s.extractor.Add(p)
	if s.failed.Load() {
		return s.err
	}
	return nil
}

// Tick ends flows whose time-outs have passed and shows them at once.
func (s *flowSink) Tick(now int64) error {
	s.extractor.Advance(now)
	s.keep(s.flush())
	return s.err
}

// Flush ends all flows.
func (s *flowSink) Flush() error {
	s.extractor.Flush()
	s.close()
	s.keep(s.flush())
	return s.err
}

// summary prints how many flows there were, why they ended, and how fast it went.
func (s *flowSink) summary(w io.Writer, packets uint64) {
	fmt.Fprintf(w, "flows: %d", s.flows)
	for _, reason := range sortedKeys(s.ended) {
		fmt.Fprintf(w, ", %s %d", reason, s.ended[reason])
	}
	took := time.Since(s.started)
	fmt.Fprintf(w, "%s in %s (%.0f packets/s)\n", s.leftOut(), took.Round(time.Millisecond), float64(packets)/took.Seconds())
}
