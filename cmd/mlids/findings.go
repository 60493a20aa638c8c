package main

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids"
	"mlids/api"
	"mlids/detect"
	"mlids/notify"
)

// listener hears of each finding of a sensor, in the order in which flows ended. The finding is valid during the call. An error
// ends the sensor.
type listener func(f *detect.Finding) error

// fanOut tells all listeners of a finding, one after the other.
func fanOut(listeners ...listener) listener {
	return func(f *detect.Finding) error {
		for _, hear := range listeners {
			if err := hear(f); err != nil {
				return err
			}
		}
		return nil
	}
}

// countFindings is the listener behind the sensor's metrics.
func countFindings(reg prometheus.Registerer) (listener, error) {
	flows := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mlids_sensor_flows_total", Help: "Flows judged by the sensor, by model and the class decided for.",
	}, []string{"model", "class"})
	if err := reg.Register(flows); err != nil {
		return nil, err
	}
	return func(f *detect.Finding) error {
		flows.WithLabelValues(f.Verdict.Model, f.Verdict.Class).Inc()
		return nil
	}, nil
}

// findingBatch is how many messages of findings are stored together.
const findingBatch = 256

// findingPublisher stores findings as messages. It stands around the sensor as its sink, so that what was gathered is stored when
// time passes and at the end.
type findingPublisher struct {
	sink
	ctx     context.Context // of the source; what is stored at its end outlives it
	to      api.Publisher
	publish api.Publish
	patient bool // wait for a queue that is full or away, in place of giving up
	onWait  func(err error)
	waiting []*notify.Message
	stored  int
}

// hear makes the message of a finding; it is a listener.
func (p *findingPublisher) hear(f *detect.Finding) error {
	if f.Reason == mlids.EndNone || !f.Verdict.Attack && p.publish != api.PublishAll { // the final finding of a flow counts
		return nil
	}
	body, err := notify.AppendRecord(nil, f.Record, f.Verdict.Attack)
	if err != nil {
		return err
	}
	p.waiting = append(p.waiting, &notify.Message{Kind: notify.Prediction, Alert: f.Alert(), Body: body})
	if len(p.waiting) < findingBatch {
		return nil
	}
	return p.store()
}

// Add takes a packet.
func (p *findingPublisher) Add(packet *mlids.Packet) error { return p.sink.Add(packet) }

// Tick lets time pass and stores.
func (p *findingPublisher) Tick(now int64) error { return errors.Join(p.sink.Tick(now), p.store()) }

// Flush ends all flows and stores.
func (p *findingPublisher) Flush() error { return errors.Join(p.sink.Flush(), p.store()) }

// farewell is how long the last messages of a source that ended are tried to be stored.
const farewell = 15 * time.Second

// store publishes what waits, until it is stored if the publisher is patient.
func (p *findingPublisher) store() error {
	if len(p.waiting) == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.ctx))
	defer cancel()
	defer context.AfterFunc(p.ctx, func() { time.AfterFunc(farewell, cancel) })()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		err := p.to.Publish(ctx, p.waiting)
		if err == nil {
			p.stored += len(p.waiting)
			p.waiting = nil
			return nil
		}
		if !p.patient || ctx.Err() != nil {
			return err
		}
		p.onWait(err)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// explainIf is how many columns an alert names as its reason, if it goes to people or queues.
func explainIf(told bool) int {
	if told {
		return 5
	}
	return 0
}
