package main

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"mlids/detect"
)

// detectOutlet publishes what detect finds, when a way out is named.
type detectOutlet struct {
	flags     notifyFlags
	wait      time.Duration
	publisher *findingPublisher
	outlet    *outlet
	stop      context.CancelFunc
	done      chan error
	app       *app
}

func (d *detectOutlet) register(flags *pflag.FlagSet) {
	d.flags.registerWays(flags)
	flags.DurationVar(&d.wait, "notify-wait", 10*time.Second, "time that ways out are given at the end; what they have not taken then stays in the queue for the next run")
}

// used reports whether findings are published.
func (d *detectOutlet) used() bool { return d.outlet != nil }

// open joins the queue of the data directory, or opens it, and starts the ways out. The listener does nothing when none is named.
func (d *detectOutlet) open(ctx context.Context, a *app) (listener, error) {
	d.app = a
	if len(d.flags.ways) == 0 {
		return func(*detect.Finding) error { return nil }, nil
	}
	d.flags.cfg.Join = true
	outlet, err := d.flags.open(ctx, a, prometheus.NewRegistry())
	if err != nil {
		return nil, err
	}
	d.outlet, d.done = outlet, make(chan error, 1)
	d.publisher = &findingPublisher{ctx: ctx, to: outlet, publish: outlet.publish}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	d.stop = stop
	go func() { d.done <- outlet.run(running) }()
	return d.publisher.hear, nil
}

// around puts the publisher around the sensor.
func (d *detectOutlet) around(sensor sink) sink {
	if !d.used() {
		return sensor
	}
	d.publisher.sink = sensor
	return d.publisher
}

// close waits for the ways out and closes the queue.
func (d *detectOutlet) close() error {
	if !d.used() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), d.wait)
	defer cancel()
	left := d.outlet.deliveries.Drain(ctx)
	d.stop()
	err := <-d.done
	fmt.Fprintf(d.app.err, "published: %d", d.publisher.stored)
	for _, name := range sortedKeys(left) {
		fmt.Fprintf(d.app.err, ", %d wait for %s", left[name], name)
	}
	fmt.Fprintln(d.app.err)
	return err
}
