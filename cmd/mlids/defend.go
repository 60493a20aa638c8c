package main

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"mlids"
	"mlids/capture"
	"mlids/detect"
	"mlids/mitigate"
	"mlids/model"
)

// How soon a defender's sensor looks: a flood is to end within a second.
const (
	defendTick    = 100 * time.Millisecond
	defendInterim = 250 * time.Millisecond
)

// defendFlags say what is done about attacks.
type defendFlags struct {
	policy mitigate.Policy
	rules  []string
	allow  []string
}

func (f *defendFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.rules, "rule", nil, `verdicts that lead to a block, as "class=dos verdicts=100 within=1s action=drop scope=source" `+
		"(repeat for several; see docs/mitigation.md)")
	flags.StringArrayVar(&f.allow, "allow", nil, "address or prefix that is never blocked, such as gateways and resolvers (repeat for several)")
	flags.IntVar(&f.policy.MaxBlocks, "max-blocks", 1000, "blocks at a time at most; at the cap nothing more is blocked, and it is said so")
	flags.DurationVar(&f.policy.First, "block-time", time.Minute, "how long a block lasts, twice as long each time it is made again")
	flags.DurationVar(&f.policy.Longest, "block-longest", 24*time.Hour, "how long a block lasts at most")
	flags.DurationVar(&f.policy.Forget, "block-forget", 24*time.Hour, "time after its last block when a source counts as new")
	flags.IntVar(&f.policy.Sources, "flood-sources", 20, "attacking sources within a second that are taken for forged ones: their port is limited, not they are blocked")
	flags.Uint32Var(&f.policy.FloodRate, "flood-rate", 10, "packets per second that a port of forged sources may send to the victim")
	flags.BoolVar(&f.policy.DryRun, "dry-run", false, "decide and record blocks, but make none")
}

// defender makes the defender that works through an enforcer.
func (a *app) defender(f *defendFlags, enforcer mitigate.Enforcer, reg prometheus.Registerer, out *outlet) (*mitigate.Defender, error) {
	policy := f.policy
	for _, text := range f.rules {
		r, err := mitigate.ParseRule(text)
		if err != nil {
			return nil, fmt.Errorf("--rule %q: %w", text, err)
		}
		policy.Rules = append(policy.Rules, r)
	}
	for _, text := range f.allow {
		p, err := parsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("--allow: %w", err)
		}
		policy.Allow = append(policy.Allow, p)
	}
	deps := mitigate.Deps{Log: a.log, Register: reg, Enforcer: enforcer}
	if out != nil {
		deps.Publish = out
	}
	return mitigate.New(mitigate.Config{Policy: policy, Dir: filepath.Join(a.dataDir, "mitigate", enforcer.Name())}, deps)
}

// parsePrefix reads an address or a prefix.
func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr.Unmap().WithZone(""), addr.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is neither an address nor a prefix", text)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%q has bits beyond its length; %v has not", text, p.Masked())
	}
	return p, nil
}

// alertOf is a finding as policies take it.
func alertOf(f *detect.Finding) *mlids.Alert {
	return &mlids.Alert{
		Verdict: f.Verdict, Start: time.Unix(0, f.First), End: time.Unix(0, f.Last), Src: f.Key.Src.Netip(), Dst: f.Key.Dst.Netip(),
		SrcPort: f.Key.SrcPort, DstPort: f.Key.DstPort, Proto: f.Key.Proto, Ingress: f.Ingress, Answer: f.Answer,
		Open: f.Reason == mlids.EndNone, FwdPackets: f.Counters.FwdPackets, BwdPackets: f.Counters.BwdPackets,
	}
}

// watch judges the packets of a live source and shows the verdicts to a defender, until ctx ends.
func watch(ctx context.Context, src capture.Source, models []*model.Judge, maxFlows int, to *mitigate.Defender) error {
	sensor, err := detect.New(
		detect.Config{Models: models, MaxFlows: maxFlows, Linger: liveLinger, Interim: defendInterim},
		func(f *detect.Finding) error {
			to.Observe(alertOf(f))
			return nil
		},
	)
	if err != nil {
		return badInput(err)
	}
	paced := &pacedSink{sink: sensor}
	err = capture.RunIdle(ctx, src, capture.NewDecoder(capture.DecoderConfig{}), paced.Add, func() error { return paced.Tick(time.Now().UnixNano()) })
	if ctx.Err() == nil {
		return fmt.Errorf("watch the network: %w", err)
	}
	return nil
}
