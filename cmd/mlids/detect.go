package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"mlids"
	"mlids/alert"
	"mlids/detect"
	"mlids/flow"
	"mlids/model"
)

func (a *app) detect() *cobra.Command {
	var p packetFlags
	var names []string
	var all bool
	var anomalyFPR float64
	var out detectOutlet
	cmd := &cobra.Command{
		Use:   "detect FILE.pcap | --interface IF",
		Short: "Judge the flows of a capture or an interface; attacks on stdout, exit code 3 when there are any",
		Example: `  mlids detect traffic.pcap
  mlids detect --interface eth0 -o json
  mlids detect traffic.pcap -o eve >> /var/log/suricata/eve.json
  tcpdump -w - | mlids detect -`,
		Args:        cobra.MaximumNArgs(1),
		Annotations: map[string]string{"output": "human json eve"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.arg(args); err != nil {
				return err
			}
			var models []*model.Judge
			for _, name := range names {
				judge, err := a.judgeNamed(name, anomalyFPR)
				if err != nil {
					return err
				}
				models = append(models, judge)
			}
			printer := &findingPrinter{app: a, out: bufio.NewWriter(a.out), all: all, live: p.endless(), classes: map[string]int{}}
			publish, err := out.open(cmd.Context(), a)
			if err != nil {
				return err
			}
			sensor, err := detect.New(detect.Config{
				Models: models, MaxFlows: p.maxFlows, Linger: p.linger(), Records: out.used(), Explain: explainIf(out.used() || a.format == "eve"),
			}, fanOut(printer.print, publish))
			if err != nil {
				return badInput(errors.Join(err, out.close()))
			}
			thrift()
			counters, err := a.packets(cmd.Context(), &p, out.around(sensor))
			err = errors.Join(err, printer.out.Flush(), out.close())
			if counters.Packets > 0 || err == nil {
				a.summary(counters)
				printer.summary()
			}
			if err == nil && printer.attacks > 0 {
				return errAttacks
			}
			return err
		},
	}
	flags := cmd.Flags()
	p.register(flags)
	out.register(flags)
	flags.StringArrayVar(&names, "model", []string{"cicflow", "kdd99"}, "model to ask: its name, or a file (repeat for several)")
	flags.BoolVar(&all, "all", false, "print benign flows, too")
	companionFlag(flags, &anomalyFPR)
	return cmd
}

// flowGarbage is how much garbage may gather, in percent of what is in use, before it is collected. Flow tables have no pointers,
// so that collecting takes little beside the verdicts; with Go's 100 they would need up to twice their memory as they grow.
const flowGarbage = 10

// thrift sets the garbage collector, if the user has not.
func thrift() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(flowGarbage)
	}
}

// findingRow is a finding as JSON, one object a line.
type findingRow struct {
	Time        string  `json:"time"` // of the first packet
	Duration    float64 `json:"duration"`
	Source      string  `json:"src_ip"`
	SourcePort  uint16  `json:"src_port"`
	Dest        string  `json:"dst_ip"`
	DestPort    uint16  `json:"dst_port"`
	Protocol    uint8   `json:"protocol"`
	CommunityID string  `json:"community_id"`
	Prediction  int     `json:"prediction"`
	Class       string  `json:"class"`
	Probability float64 `json:"probability"`
	Threshold   float64 `json:"threshold"`
	Model       string  `json:"model"`
	Version     string  `json:"model_version"`
}

// findingPrinter prints findings as they come and counts them.
type findingPrinter struct {
	app     *app
	out     *bufio.Writer
	all     bool // benign ones too
	live    bool // each line at once
	flows   int
	attacks int
	classes map[string]int
}

func (p *findingPrinter) print(f *detect.Finding) error {
	p.flows++
	p.classes[f.Verdict.Model+": "+f.Verdict.Class]++
	if f.Verdict.Attack {
		p.attacks++
	} else if !p.all {
		return nil
	}
	if err := p.line(f); err != nil {
		return err
	}
	if p.live {
		return p.out.Flush()
	}
	return nil
}

func (p *findingPrinter) line(f *detect.Finding) error {
	k, v := f.Key, f.Verdict
	at := time.Unix(0, f.First).UTC()
	if p.app.format == "eve" {
		found := f.Alert()
		text, err := alert.EVE(&found, at)
		if err != nil {
			return err
		}
		_, err = p.out.Write(append(text, '\n'))
		return err
	}
	if !p.app.json() {
		_, err := fmt.Fprintf(p.out, "%s  %-6s %s → %s  %.4f  %s  %s\n", at.Format("2006-01-02T15:04:05.000000Z"), v.Class,
			endpoint(k.Src, k.SrcPort, k.Proto), endpoint(k.Dst, k.DstPort, k.Proto), v.Probability, protocolName(k.Proto), v.Model)
		return err
	}
	row := findingRow{
		Time: at.Format(time.RFC3339Nano), Duration: time.Duration(f.Last - f.First).Seconds(),
		Source: k.Src.String(), SourcePort: k.SrcPort, Dest: k.Dst.String(), DestPort: k.DstPort, Protocol: k.Proto,
		CommunityID: flow.CommunityID(k, 0), Class: v.Class, Probability: v.Probability, Threshold: v.Threshold, Model: v.Model, Version: v.Version,
	}
	if v.Attack {
		row.Prediction = 1
	}
	text, err := json.Marshal(row)
	if err != nil {
		return err
	}
	_, err = p.out.Write(append(text, '\n'))
	return err
}

// endpoint is an address with its port, where the protocol has ports.
func endpoint(a mlids.Addr, port uint16, proto uint8) string {
	switch {
	case proto != mlids.ProtoTCP && proto != mlids.ProtoUDP && proto != mlids.ProtoSCTP:
		return a.String()
	case a.Is4():
		return fmt.Sprintf("%s:%d", a, port)
	}
	return fmt.Sprintf("[%s]:%d", a, port)
}

func protocolName(proto uint8) string {
	switch proto {
	case mlids.ProtoTCP:
		return "tcp"
	case mlids.ProtoUDP:
		return "udp"
	case mlids.ProtoICMP:
		return "icmp"
	case mlids.ProtoICMPv6:
		return "icmpv6"
	case mlids.ProtoSCTP:
		return "sctp"
	}
	return fmt.Sprintf("ip-%d", proto)
}

// summary prints on stderr how many flows each model put in each class.
func (p *findingPrinter) summary() {
	for _, class := range sortedKeys(p.classes) {
		fmt.Fprintf(p.app.err, "%s: %d\n", class, p.classes[class])
	}
}
