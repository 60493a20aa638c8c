package main

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// stages are the parts of a server: those that produce end with its context, or when one fails, and only then what they feed, so that the
// last message finds the queue open. Make it by newStages.
type stages struct {
	group, producers  *errgroup.Group
	producing, served context.Context
	stop              context.CancelFunc
}

func newStages(ctx context.Context) *stages {
	s := &stages{}
	var all context.Context
	s.group, all = errgroup.WithContext(ctx)
	s.producers, s.producing = errgroup.WithContext(all)
	s.served, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	return s
}

// produce runs a part until the server ends.
func (s *stages) produce(run func(context.Context) error) {
	s.producers.Go(func() error { return run(s.producing) })
}

// feed runs a part until all that produce have ended.
func (s *stages) feed(run func(context.Context) error) {
	s.group.Go(func() error { return run(s.served) })
}

// wait returns the first error when all have ended.
func (s *stages) wait() error {
	s.group.Go(func() error {
		defer s.stop()
		return s.producers.Wait()
	})
	return s.group.Wait()
}
