package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"mlids/api"
	"mlids/mitigate/openflow"
	"mlids/model"
)

// defaultSDNAPI is where a controller's API is unless told otherwise.
const defaultSDNAPI = "127.0.0.1:5000"

// sdnDefence says how a controller watches its packets, and what it does about attacks.
type sdnDefence struct {
	defendFlags
	models     []string
	anomalyFPR float64
	api        string
	locks      lockFlags
	out        notifyFlags
}

func (d *sdnDefence) register(flags *pflag.FlagSet) {
	d.defendFlags.register(flags)
	flags.StringArrayVar(&d.models, "model", []string{"kdd99", "cicflow"}, "model to ask: its name, or a file (repeat for several)")
	companionFlag(flags, &d.anomalyFPR)
	flags.StringVar(&d.api, "api-listen", defaultSDNAPI, `address of the API, with the block list; "" for none, then there is no admin door either`)
	d.out.register(flags)
	doors := pflag.NewFlagSet("api", pflag.ContinueOnError)
	d.locks.register(doors)
	doors.VisitAll(func(f *pflag.Flag) {
		if flags.Lookup(f.Name) != nil { // the controller's own TLS has that name
			f.Name = "api-" + f.Name
		}
		flags.AddFlag(f)
	})
}

// run starts the sensor on the controller's packets, the defender, the API, and the queue of what was done. It returns what
// is to be closed in the end.
func (d *sdnDefence) run(ctx context.Context, a *app, parts *stages, c *openflow.Controller, metrics *prometheus.Registry) (out *outlet, err error) {
	var models []*model.Judge
	for _, name := range d.models {
		judge, err := a.judgeNamed(name, d.anomalyFPR)
		if err != nil {
			return nil, err
		}
		models = append(models, judge)
	}
	if out, err = d.out.open(ctx, a, metrics); err != nil {
		return nil, err
	}
	defender, err := a.defender(&d.defendFlags, c, metrics, out)
	if err != nil {
		return out, err
	}
	if err := d.serve(ctx, a, parts, defender, out, metrics); err != nil {
		return out, err
	}
	if out != nil {
		parts.feed(out.run)
	}
	parts.produce(defender.Run)
	parts.produce(func(ctx context.Context) error { return watch(ctx, c.Feed(), models, 0, defender) })
	return out, nil
}

// serve starts the API: predictions as mlids serve gives and publishes them, the block list, and the admin door.
func (d *sdnDefence) serve(ctx context.Context, a *app, parts *stages, blocks api.Blocks, out *outlet, metrics *prometheus.Registry) error {
	if d.api == "" {
		return nil
	}
	models, err := a.registry()
	if err != nil {
		return err
	}
	front, err := (&net.ListenConfig{}).Listen(ctx, "tcp", d.api)
	if errors.Is(err, unix.EADDRINUSE) && d.api == defaultSDNAPI { // nobody asked for it: mlids serve may run beside
		a.log.WarnContext(ctx, "no API and no admin door: the address is taken; --api-listen names another", "addr", d.api)
		return nil
	}
	if err != nil {
		return fmt.Errorf("--api-listen: %w", err)
	}
	cfg := api.Config{Listener: front, Version: buildVersion(), AnomalyFPR: d.anomalyFPR}
	deps := api.Deps{Log: a.log, Register: metrics, Gather: metrics, Models: models, Blocks: blocks}
	if out != nil {
		cfg.Publish, deps.Publish = out.publish, out
	}
	if err := d.locks.apply(ctx, a, &cfg, &deps); err != nil {
		return err
	}
	server, err := api.New(cfg, deps)
	if err != nil {
		return err
	}
	parts.produce(server.Run)
	parts.produce(func(ctx context.Context) error { return d.locks.run(ctx, &deps) })
	return nil
}
