package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"mlids/detect"
	"mlids/model"
	"mlids/model/registry"
)

// sensorFlags say what serve watches.
type sensorFlags struct {
	packets packetFlags
	defence mitigateFlags
}

func (s *sensorFlags) register(flags *pflag.FlagSet) {
	s.packets.register(flags)
	flags.StringVar(&s.packets.file, "pcap", "", "capture file that the sensor reads; with --follow as it grows")
	s.defence.register(flags)
	flags.Lookup("interface").Usage = "let the sensor watch this interface (any: all)"
}

// wanted reports whether there is a sensor.
func (s *sensorFlags) wanted() bool { return s.packets.live.Interface != "" || s.packets.file != "" }

// check refuses two sources, and flags that the one would not heed.
func (s *sensorFlags) check() error {
	if s.packets.live.Interface != "" && s.packets.file != "" {
		return badInput(errors.New("--interface and --pcap: the sensor watches one of them"))
	}
	if s.wanted() {
		return s.packets.check()
	}
	return nil
}

// run watches until the source ends or ctx is done. The models that answer for the schemas now judge; listeners hear of what they
// find.
func (s *sensorFlags) run(ctx context.Context, a *app, models *registry.Registry, anomalyFPR float64, reg prometheus.Registerer, out *outlet, others ...listener) error {
	judges, err := sensorJudges(models, anomalyFPR)
	if err != nil {
		return err
	}
	count, err := countFindings(reg)
	if err != nil {
		return err
	}
	publisher := &findingPublisher{ctx: ctx, patient: true, onWait: func(err error) {
		a.log.WarnContext(ctx, "the sensor waits for the queue", "err", err)
	}}
	listeners := append([]listener{count}, others...)
	if out != nil {
		publisher.to, publisher.publish = out, out.publish
		listeners = append(listeners, publisher.hear)
	}
	sensor, err := detect.New(detect.Config{
		Models: judges, MaxFlows: s.packets.maxFlows, Linger: s.packets.linger(), Records: out != nil, Explain: explainIf(out != nil), Interim: s.defence.interim(),
	}, fanOut(listeners...))
	if err != nil {
		return badInput(err)
	}
	publisher.sink = s.defence.paced(sensor)
	counters, err := a.packets(ctx, &s.packets, publisher)
	a.summary(counters)
	if err != nil {
		return fmt.Errorf("sensor: %w", err)
	}
	a.log.InfoContext(ctx, "the sensor's source has ended", "packets", counters.Packets, "published", publisher.stored)
	return nil
}

// sensorJudges are the models that answer for the schemas that packets can be turned into.
func sensorJudges(models *registry.Registry, anomalyFPR float64) ([]*model.Judge, error) {
	var judges []*model.Judge
	for _, schema := range []string{"cicflow", "kdd99"} {
		m, ok := models.Active(schema)
		if !ok {
			continue
		}
		judge := model.NewJudge(m)
		if companion, ok := models.Lookup(model.CompanionName(m.Info().Name)); ok && anomalyFPR > 0 {
			var err error
			if judge, err = judge.WithCompanion(companion, anomalyFPR); err != nil {
				return nil, err
			}
		}
		judges = append(judges, judge)
	}
	if len(judges) == 0 {
		return nil, badInput(errors.New("no model for the sensor is loaded"))
	}
	return judges, nil
}
