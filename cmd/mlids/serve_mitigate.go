package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"mlids"
	"mlids/detect"
	"mlids/mitigate"
	"mlids/mitigate/nftables"
)

// mitigateFlags say what a sensor does about attacks.
type mitigateFlags struct {
	defendFlags
	how string
}

func (m *mitigateFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&m.how, "mitigate", "", "block attackers: nftables:IFACE drops their packets where they enter this host (as root)")
	m.defendFlags.register(flags)
}

// open makes the defender that was asked for, nil when none was.
func (m *mitigateFlags) open(a *app, reg prometheus.Registerer, out *outlet) (*mitigate.Defender, error) {
	if m.how == "" {
		return nil, nil
	}
	kind, device, ok := strings.Cut(m.how, ":")
	if !ok || kind != "nftables" {
		return nil, badInput(fmt.Errorf("--mitigate %q: want nftables:IFACE", m.how))
	}
	filter, err := nftables.New(device)
	if err != nil {
		return nil, badInput(fmt.Errorf("--mitigate: %w", err))
	}
	d, err := a.defender(&m.defendFlags, filter, reg, out)
	return d, badInput(err)
}

// interim is how often a sensor that defends judges flows that go on.
func (m *mitigateFlags) interim() time.Duration {
	if m.how == "" {
		return 0
	}
	return defendInterim
}

// paced lets a sensor that defends look often, also while packets come all the time.
func (m *mitigateFlags) paced(sensor sink) sink {
	if m.how == "" {
		return sensor
	}
	return &pacedSink{sink: sensor}
}

// pacedSink ticks by the packets' own time.
type pacedSink struct {
	sink
	ticked int64
}

// Add takes a packet, and the time that has passed.
func (p *pacedSink) Add(packet *mlids.Packet) error {
	if err := p.sink.Add(packet); err != nil {
		return err
	}
	return p.Tick(packet.Time)
}

// Tick takes the time, as often as is of use.
func (p *pacedSink) Tick(now int64) error {
	if now-p.ticked < int64(defendTick) {
		return nil
	}
	p.ticked = now
	return p.sink.Tick(now)
}

// hear shows a defender, if there is one, what a sensor finds.
func hear(d *mitigate.Defender) []listener {
	if d == nil {
		return nil
	}
	return []listener{func(f *detect.Finding) error {
		d.Observe(alertOf(f))
		return nil
	}}
}

// runDefender runs a defender if there is one.
func runDefender(ctx context.Context, d *mitigate.Defender) error {
	if d == nil {
		return nil
	}
	if err := d.Run(ctx); err != nil {
		return fmt.Errorf("mitigation: %w", err)
	}
	return nil
}
