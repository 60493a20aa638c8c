package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"mlids/api"
	"mlids/notify"
	"mlids/notify/deliver"
	"mlids/notify/stream"
)

// makeSink makes a way out of its URL.
type makeSink func(a *app, u *url.URL) (notify.Sink, error)

// allSinks are the ways out by the scheme of their URLs.
func allSinks() map[string]makeSink { return waysOut() }

// notifyFlags say what is published, where it is stored and which ways out there are.
type notifyFlags struct {
	publish   string
	ways      []string
	retention string
	cfg       stream.Config
	sync      string
}

// registerWays registers the flags that say where messages go.
func (n *notifyFlags) registerWays(flags *pflag.FlagSet) {
	flags.StringArrayVar(&n.ways, "notify", nil,
		`way out as "NAME=URL [TERM …]": terms choose messages (class=dos,ddos probability>=0.9 src=10.0.0.0/8 dst= model= prediction=all kind=action) `+
			`and say when to stop trying (attempts=20 give-up=24h longest-pause=10s) and where to begin (from=start); repeat for several`)
	flags.StringVar(&n.cfg.URL, "nats-url", "", "external NATS server or cluster that stores what is published, in place of the built-in one")
	flags.StringVar(&n.retention, "retention", "7d,10GiB", "age after which delivered messages are forgotten, and size of the queue; when it is full of undelivered ones, requests are refused")
	flags.StringVar(&n.sync, "sync", string(stream.SyncProcess), "what a stored message survives: process (kill -9) or power (fsync: a crash of the machine, too)")
	hide(flags, "notify", "nats-url")
}

func (n *notifyFlags) register(flags *pflag.FlagSet) {
	n.registerWays(flags)
	flags.StringVar(&n.publish, "publish", string(api.PublishAttacks), "predictions that are stored for ways out and watching clients before they are answered: all, attacks or none")
	flags.StringVar(&n.cfg.Listen, "queue-listen", "", "address on which NATS clients may watch the built-in queue, such as 127.0.0.1:4222 (default: none)")
	flags.StringVar(&n.cfg.Token, "queue-token", "", "password of the user watch, for clients that watch")
	hide(flags, "queue-token")
}

// outlet is the queue with its ways out.
type outlet struct {
	*stream.Stream
	deliveries *deliver.Deliveries
	publish    api.Publish
}

// open opens the queue and the ways out; nil when nothing is published.
func (n *notifyFlags) open(ctx context.Context, a *app, reg prometheus.Registerer) (_ *outlet, err error) {
	publish := api.Publish(cmp.Or(n.publish, string(api.PublishAttacks)))
	if !slices.Contains([]api.Publish{api.PublishAll, api.PublishAttacks, api.PublishNone}, publish) {
		return nil, badInput(fmt.Errorf("--publish %q: want all, attacks or none", n.publish))
	}
	ways, err := a.wayList(waysOfEnvironment(n.ways, os.LookupEnv))
	if err != nil {
		return nil, badInput(err)
	}
	if publish == api.PublishNone {
		if len(ways) > 0 {
			return nil, badInput(errors.New("--publish none leaves nothing for the ways out of --notify"))
		}
		return nil, nil
	}
	if slices.ContainsFunc(ways, func(w way) bool { return w.Filter.WantsBenign() }) {
		publish = api.PublishAll
	}
	cfg, err := n.streamConfig(a)
	if err != nil {
		return nil, badInput(err)
	}
	o := &outlet{publish: publish}
	if o.Stream, err = stream.Open(ctx, cfg, stream.Deps{Log: a.log, Register: reg}); err != nil {
		return nil, queueError(err)
	}
	if o.deliveries, err = o.deliver(ctx, a, reg, ways); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return o, nil
}

// queueError says what to do about a queue that does not open.
func queueError(err error) error {
	if errors.Is(err, stream.ErrBusy) {
		return badInput(fmt.Errorf("%w: give this process another --data-dir, a common --nats-url, or --publish none", err))
	}
	if errors.Is(err, stream.ErrConfig) {
		return badInput(err)
	}
	return err
}

func (n *notifyFlags) streamConfig(a *app) (stream.Config, error) {
	cfg := n.cfg
	cfg.Sync = stream.Sync(n.sync)
	if cfg.URL == "" {
		cfg.Dir = a.queueDir()
	}
	var err error
	if n.retention != "" {
		cfg.MaxAge, cfg.MaxBytes, err = stream.ParseRetention(n.retention)
	}
	return cfg, err
}

// deliver opens the position of each way out.
func (o *outlet) deliver(ctx context.Context, a *app, reg prometheus.Registerer, ways []way) (*deliver.Deliveries, error) {
	list := make([]deliver.Way, len(ways))
	for i, w := range ways {
		feed, err := o.Feed(ctx, w.Name, w.Filter, w.fromStart)
		if err != nil {
			return nil, err
		}
		list[i] = w.Way
		list[i].Feed = feed
	}
	return deliver.New(deliver.Config{}, deliver.Deps{Log: a.log, Register: reg, Graves: o.Stream}, list...)
}

// close closes the queue; there may be none.
func (o *outlet) close() error {
	if o == nil {
		return nil
	}
	return o.Close()
}

// run delivers until ctx is done, and closes the queue.
func (o *outlet) run(ctx context.Context) error {
	var group errgroup.Group
	group.Go(func() error { return o.Run(ctx) })
	group.Go(func() error { return o.deliveries.Run(ctx) })
	return errors.Join(group.Wait(), o.Close())
}

// way is a way out as the command line names it.
type way struct {
	deliver.Way
	fromStart bool
}

// wayList reads the values of --notify.
func (a *app) wayList(texts []string) ([]way, error) {
	ways := make([]way, 0, len(texts))
	for _, text := range texts {
		w, err := a.parseWay(text)
		if err != nil {
			return nil, err
		}
		ways = append(ways, w)
	}
	return ways, nil
}

// parseWay reads "NAME=URL [TERM …]". Errors do not show the URL, which may hold a password.
func (a *app) parseWay(text string) (w way, err error) {
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return w, errors.New(`--notify: want "NAME=URL [TERM …]"`)
	}
	name, address, ok := strings.Cut(fields[0], "=")
	w.Name = name
	if err := deliver.CheckName(name); err != nil || !ok {
		return w, fmt.Errorf(`--notify: want "NAME=URL [TERM …]": %w`, cmp.Or(err, errors.New("no URL")))
	}
	var terms []string
	for _, term := range fields[1:] {
		own, err := w.term(term)
		if err != nil {
			return w, fmt.Errorf("--notify %s: %q: %w", name, term, err)
		}
		if !own {
			terms = append(terms, term)
		}
	}
	if w.Filter, err = notify.ParseFilter(strings.Join(terms, " ")); err != nil {
		return w, fmt.Errorf("--notify %s: %w", name, err)
	}
	u, err := url.Parse(address)
	if err != nil {
		return w, fmt.Errorf("--notify %s: not a URL", name)
	}
	open, ok := a.sinks[u.Scheme]
	if !ok {
		return w, fmt.Errorf("--notify %s: unknown scheme %q; known are %s", name, u.Scheme, strings.Join(sortedKeys(a.sinks), ", "))
	}
	if w.Sink, err = open(a, u); err != nil {
		return w, fmt.Errorf("--notify %s: %w", name, err)
	}
	return w, nil
}

// term reads what is not part of the filter.
func (w *way) term(term string) (own bool, err error) {
	name, value, _ := strings.Cut(term, "=")
	switch name {
	case "attempts":
		w.Attempts, err = strconv.ParseUint(value, 10, 32)
	case "give-up":
		w.GiveUp, err = time.ParseDuration(value)
	case "longest-pause":
		w.Longest, err = time.ParseDuration(value)
	case "from":
		w.fromStart = value == "start"
		if value != "start" && value != "now" {
			err = errors.New("want start or now")
		}
	default:
		return false, nil
	}
	if err == nil && (w.GiveUp < 0 || w.Longest < 0) {
		err = errors.New("want a time above 0")
	}
	return true, err
}
