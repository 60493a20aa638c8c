package main

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"mlids/mitigate/openflow"
	"mlids/model"
)

// sdnDefence says how a controller watches its packets, and what it does about attacks.
type sdnDefence struct {
	defendFlags
	models     []string
	anomalyFPR float64
}

func (d *sdnDefence) register(flags *pflag.FlagSet) {
	d.defendFlags.register(flags)
	flags.StringArrayVar(&d.models, "model", []string{"kdd99"}, "model to ask: its name, or a file (repeat for several)")
	companionFlag(flags, &d.anomalyFPR)
}

// run starts the sensor on the controller's packets, and the defender.
func (d *sdnDefence) run(ctx context.Context, a *app, group *errgroup.Group, c *openflow.Controller, reg prometheus.Registerer) error {
	var models []*model.Judge
	for _, name := range d.models {
		judge, err := a.judgeNamed(name, d.anomalyFPR)
		if err != nil {
			return err
		}
		models = append(models, judge)
	}
	defender, err := a.defender(&d.defendFlags, c, reg, nil)
	if err != nil {
		return err
	}
	group.Go(func() error { return defender.Run(ctx) })
	group.Go(func() error { return watch(ctx, c.Feed(), models, 0, defender) })
	return nil
}
