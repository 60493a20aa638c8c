package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

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
func (m *mitigateFlags) open(a *app, reg prometheus.Registerer, publish mitigate.Publisher) (*mitigate.Defender, error) {
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
	d, err := a.defender(&m.defendFlags, filter, reg, publish)
	return d, badInput(err)
}

// hear shows a defender what a sensor finds.
func hear(d *mitigate.Defender) listener {
	return func(f *detect.Finding) error {
		d.Observe(alertOf(f))
		return nil
	}
}

// runDefender runs a defender if there is one.
func runDefender(ctx context.Context, d *mitigate.Defender) error {
	if d == nil {
		return nil
	}
	if err := d.Run(ctx); err != nil {
		return errors.Join(errors.New("mitigation"), err)
	}
	return nil
}
