package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"

	"mlids/api"
)

// modelPoll is how often the folder of imported models is looked at.
const modelPoll = time.Second

func (a *app) serve() *cobra.Command {
	var cfg api.Config
	var files []string
	var influxOut string
	var locks lockFlags
	var out notifyFlags
	var watch sensorFlags
	var backend backendFlags
	var sagemaker container
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the models over HTTP",
		Example: `  mlids serve
  mlids serve --listen 127.0.0.1:8080 --model flows.onnx`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			locks.given = cmd.Flags().Changed("admin-listen")
			if sagemaker.hosts() {
				hosted, err := sagemaker.host(&cfg, &locks, &out)
				if err != nil {
					return err
				}
				files = append(files, hosted...)
			}
			return a.runServe(cmd.Context(), cfg, files, influxOut, &locks, &out, &watch, &backend)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&cfg.Listen, "listen", "127.0.0.1:5000", "address to listen on; where PORT is set, on that port")
	annotate(flags, "listen", takesPort, "true")
	flags.StringArrayVar(&files, "model", nil, "model file that answers for its schema in place of the built-in one (repeat for several)")
	companionFlag(flags, &cfg.AnomalyFPR)
	flags.Int64Var(&cfg.MaxBody, "max-body", 64<<20, "bytes of a request's body at most")
	flags.Int64Var(&cfg.MaxMemory, "max-memory", 0, "bytes of request bodies held at a time (default: 8 times max-body)")
	flags.IntVar(&cfg.MaxHeader, "max-header", 64<<10, "bytes of a request's line and headers at most")
	flags.DurationVar(&cfg.HeaderTimeout, "header-timeout", 10*time.Second, "time for a request's headers to come, and for a TLS handshake")
	flags.DurationVar(&cfg.ReadTimeout, "read-timeout", time.Minute, "time for a request to come")
	flags.DurationVar(&cfg.WriteTimeout, "write-timeout", 2*time.Minute, "time for an answer, from the end of the headers")
	flags.DurationVar(&cfg.IdleTimeout, "idle-timeout", 2*time.Minute, "time between requests of a connection")
	flags.IntVar(&cfg.MaxRows, "max-rows", 100_000, "rows of a request at most")
	flags.IntVar(&cfg.Concurrent, "concurrent", 0, "predictions computed at a time (default: twice the processors)")
	flags.DurationVar(&cfg.ShutdownTimeout, "shutdown-timeout", 30*time.Second, "time that requests in flight are given at the end")
	locks.register(flags)
	flags.StringVar(&influxOut, "influx-out", "", "write verdict counts by model and class to influxdb://host:port/database")
	out.register(flags)
	watch.register(flags)
	backend.register(flags)
	sagemaker.register(flags)
	return cmd
}

// newRegistry is where a server's metrics are, with those of its process.
func newRegistry() (*prometheus.Registry, error) {
	metrics := prometheus.NewRegistry()
	return metrics, errors.Join(
		metrics.Register(collectors.NewGoCollector()),
		metrics.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})),
	)
}

func (a *app) runServe(
	ctx context.Context, cfg api.Config, files []string, influxOut string, locks *lockFlags, out *notifyFlags, watch *sensorFlags,
	backend *backendFlags,
) error {
	if err := watch.check(); err != nil {
		return err
	}
	models, err := a.registry(files...)
	if err != nil {
		return err
	}
	if err := addCompanions(models, files, cfg.AnomalyFPR); err != nil {
		return err
	}
	metrics, err := newRegistry()
	if err != nil {
		return err
	}
	cfg.Version = buildVersion()
	deps := api.Deps{Log: a.log, Register: metrics, Gather: metrics, Models: models}
	series, err := a.influxWriter(influxOut, metrics)
	if err != nil {
		return badInput(err)
	}
	if series != nil {
		deps.Observe = series
	}
	if err := locks.apply(ctx, a, &cfg, &deps); err != nil {
		return err
	}
	if err := backend.wire(ctx, a, &cfg, &deps, models); err != nil {
		return err
	}
	outlet, err := out.open(ctx, a, metrics)
	if err != nil {
		return err
	}
	if outlet != nil {
		cfg.Publish, deps.Publish = outlet.publish, outlet
	}
	defender, err := watch.defence.open(a, metrics, outlet)
	if err != nil {
		return errors.Join(err, outlet.close())
	}
	if defender != nil {
		deps.Blocks = defender
	}
	server, err := api.New(cfg, deps)
	if err != nil {
		return badInput(errors.Join(err, outlet.close()))
	}
	parts := newStages(ctx)
	parts.produce(server.Run)
	if watch.wanted() { // who shall hear of findings, too, is named at the end
		parts.produce(func(ctx context.Context) error {
			return watch.run(ctx, a, models, cfg.AnomalyFPR, metrics, outlet, hear(defender)...)
		})
	}
	parts.produce(func(ctx context.Context) error { return runDefender(ctx, defender) })
	parts.produce(func(ctx context.Context) error { return locks.run(ctx, &deps) })
	parts.produce(func(ctx context.Context) error { return a.modelDir().Watch(ctx, models, modelPoll, a.log) })
	parts.produce(func(ctx context.Context) error {
		select {
		case <-server.Listening():
			fmt.Fprintf(a.err, "mlids serves on %s://%s (models: %v)\n", locks.scheme(), server.Addr(), models.Names())
		case <-ctx.Done():
		}
		return nil
	})
	if series != nil {
		parts.feed(series.Run)
	}
	if outlet != nil {
		parts.feed(outlet.run)
	}
	err = parts.wait()
	if errors.Is(err, api.ErrUnlocked) {
		return badInput(err)
	}
	return err
}
