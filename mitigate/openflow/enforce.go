package openflow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"mlids/mitigate"
	"mlids/mitigate/openflow/ofp"
)

var (
	_ mitigate.Enforcer = (*Controller)(nil)
	_ mitigate.Locator  = (*Controller)(nil)
)

// Name is "openflow".
func (c *Controller) Name() string { return "openflow" }

// Locate finds the edge port that packets of an address last entered by.
func (c *Controller) Locate(src netip.Addr) (mitigate.Port, bool) {
	at, ok := c.net.locate(src)
	return mitigate.Port{Switch: at.node, Number: at.port}, ok
}

// Apply puts a block on the switch that its port names or its source was last seen at, else on all. It returns when the
// switches confirmed. A switch that connects later gets the block then. The block ends in the switch at Until, also when
// the controller is gone.
func (c *Controller) Apply(ctx context.Context, b mitigate.Block) error {
	if _, err := blockFlows(&b, firstMeter, time.Now()); err != nil {
		return fmt.Errorf("openflow: %w", err)
	}
	targets := c.targets(&b)
	if len(targets) == 0 {
		return fmt.Errorf("openflow: block %s: %w", b.ID, ErrNoSwitch)
	}
	if b.Kind == mitigate.Redirect && len(targets) > 1 {
		return fmt.Errorf("openflow: block %s: a port to lead to needs a switch, and the source was seen at none: %w", b.ID, ErrBlock)
	}
	c.mu.Lock()
	c.blocks[b.ID] = b
	c.mu.Unlock()
	err := onEach(targets, func(s *session) error { return s.block(ctx, &b) })
	if err != nil {
		return fmt.Errorf("openflow: block %s: %w", b.ID, err)
	}
	return nil
}

// Lift takes a block from all switches, by its ID alone.
func (c *Controller) Lift(ctx context.Context, b mitigate.Block) error {
	id, err := blockCookie(b.ID)
	if err != nil {
		return fmt.Errorf("openflow: %w", err)
	}
	c.mu.Lock()
	delete(c.blocks, b.ID)
	c.mu.Unlock()
	err = onEach(c.all(), func(s *session) error {
		list := []ofp.Message{&ofp.FlowMod{Command: ofp.FlowDelete, Table: tableBlocks, Cookie: id, CookieMask: everything}}
		if meter := s.dropMeter(b.ID); meter != 0 {
			list = append(list, &ofp.MeterMod{Command: ofp.MeterDelete, Meter: ofp.Meter{ID: meter}})
		}
		return s.transact(ctx, list...)
	})
	if err != nil {
		return fmt.Errorf("openflow: lift %s: %w", b.ID, err)
	}
	return nil
}

// Blocks asks all switches for the blocks that they have.
func (c *Controller) Blocks(ctx context.Context) ([]string, error) {
	counts, err := c.Counts(ctx)
	return slices.Sorted(maps.Keys(counts)), err
}

// Count is what a block met.
type Count struct{ Packets, Bytes uint64 }

// Counts asks all switches what the blocks that they have met, by ID. Renewing a block begins its count anew. With an error it
// tells what the other switches said.
func (c *Controller) Counts(ctx context.Context) (map[string]Count, error) {
	var mu sync.Mutex
	counts := map[string]Count{}
	ask := &ofp.MultipartRequest{Of: ofp.PartFlows, Table: tableBlocks, Cookie: cookie(kindBlock, 0), CookieMask: kindMask}
	err := onEach(c.all(), func(s *session) error {
		return s.ask(ctx, ask, flowParts(&ofp.FlowStats{}, func(f *ofp.FlowStats) error {
			mu.Lock()
			defer mu.Unlock()
			id := blockID(f.Cookie)
			one := counts[id]
			counts[id] = Count{one.Packets + f.Packets, one.Bytes + f.Bytes}
			return nil
		}))
	})
	mu.Lock()
	defer mu.Unlock()
	if err != nil { // a late answer still adds to counts
		return maps.Clone(counts), fmt.Errorf("openflow: blocks: %w", err)
	}
	return counts, nil
}

// onEach works on all switches at once.
func onEach(list []*session, work func(*session) error) error {
	errs := make([]error, len(list))
	var group sync.WaitGroup
	for i, s := range list {
		group.Go(func() {
			if err := work(s); err != nil {
				errs[i] = fmt.Errorf("switch %s: %w", switchName(s.node.Load().id), err)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// all are the sessions of the switches that take commands.
func (c *Controller) all() []*session {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []*session
	for _, s := range c.sessions {
		if c.net.here(s.node.Load()) {
			list = append(list, s)
		}
	}
	return list
}

// targets are the switches that a block belongs on.
func (c *Controller) targets(b *mitigate.Block) []*session {
	all := c.all()
	id := b.Match.Port.Switch
	if b.Match.Port == (mitigate.Port{}) {
		at, found := point{}, false
		if src := plain(b.Match.Src); src.IsValid() && src.IsSingleIP() {
			at, found = c.net.locate(src.Addr())
		}
		if !found {
			return all
		}
		id = at.node
	}
	for _, s := range all {
		if s.node.Load().id == id {
			return []*session{s}
		}
	}
	if b.Match.Port == (mitigate.Port{}) { // the switch where the source was is away
		return all
	}
	return nil
}

// block puts a block on a switch.
func (s *session) block(ctx context.Context, b *mitigate.Block) error {
	var list []ofp.Message
	meter := uint32(0)
	if b.Kind == mitigate.Limit {
		at := s.node.Load()
		if !at.meters {
			return fmt.Errorf("the switch has no meters: %w", ErrBlock)
		}
		m, known, ok := s.takeMeter(b)
		if !ok {
			return fmt.Errorf("no meter is free: %w", ErrBlock)
		}
		command := ofp.MeterAdd
		if known {
			command = ofp.MeterModify
		}
		meter = m.ID
		list = append(list, &ofp.MeterMod{Command: command, Meter: m})
	}
	flows, err := blockFlows(b, meter, time.Now())
	if err != nil {
		return err
	}
	return s.transact(ctx, append(list, flows...)...)
}

// takeMeter gives the meter of a block, and tells whether the switch has it already.
func (s *session) takeMeter(b *mitigate.Block) (m ofp.Meter, known, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m = ofp.Meter{ID: s.meters[b.ID], Rate: b.Rate, Burst: max(b.Rate, 1)}
	if m.ID != 0 {
		return m, true, true
	}
	used := map[uint32]bool{}
	maps.Copy(used, s.foreign)
	for _, id := range s.meters {
		used[id] = true
	}
	for m.ID = firstMeter; m.ID <= lastMeter; m.ID++ {
		if !used[m.ID] {
			s.meters[b.ID] = m.ID
			return m, false, true
		}
	}
	return m, false, false
}

// dropMeter forgets the meter of a block and gives its number, 0 when there was none.
func (s *session) dropMeter(id string) uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	meter := s.meters[id]
	delete(s.meters, id)
	return meter
}

// renewBlocks puts the blocks on a switch that connected: it may be new, or have lost them.
func (c *Controller) renewBlocks(ctx context.Context, s *session) error {
	c.mu.Lock()
	blocks := slices.Collect(maps.Values(c.blocks))
	c.mu.Unlock()
	for i := range blocks {
		b := &blocks[i]
		if time.Until(b.Until) < time.Second || !slices.Contains(c.targets(b), s) {
			continue
		}
		if err := s.block(ctx, b); err != nil {
			if errors.Is(err, ErrSwitch) || ctx.Err() != nil {
				return err
			}
			s.log.Error("block not renewed", "block", b.ID, "error", err)
		}
	}
	return nil
}

// blockEnded frees what a block held on a switch that let it go by time, and renews one that lasts longer than a switch
// can count: 18 hours.
func (c *Controller) blockEnded(s *session, id string) {
	c.mu.Lock()
	b, ok := c.blocks[id]
	c.mu.Unlock()
	if ok && time.Until(b.Until) > time.Second {
		s.mu.Lock()
		meter := s.meters[id]
		s.mu.Unlock()
		if flows, err := blockFlows(&b, meter, time.Now()); err == nil {
			for _, m := range flows {
				s.send(m)
			}
		}
		return
	}
	if meter := s.dropMeter(id); meter != 0 {
		s.send(&ofp.MeterMod{Command: ofp.MeterDelete, Meter: ofp.Meter{ID: meter}})
	}
}

// expire forgets the blocks whose time is over.
func (c *Controller) expire(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.blocks, func(_ string, b mitigate.Block) bool { return now.After(b.Until) })
}
