package openflow

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"mlids/mitigate"
	"mlids/mitigate/openflow/ofp"
)

var _ mitigate.Allower = (*Controller)(nil)

// Allow lets sources pass whatever the blocks say, in place of those allowed before: on the switches that are there, and on
// those that connect later.
func (c *Controller) Allow(ctx context.Context, sources []netip.Prefix) error {
	c.mu.Lock()
	c.allowed = slices.Clone(sources)
	c.mu.Unlock()
	if err := onEach(c.all(), func(s *session) error { return s.allow(ctx) }); err != nil {
		return fmt.Errorf("openflow: allow-list: %w", err)
	}
	return nil
}

// allow puts the allow-list on a switch, in place of the one that it has.
func (s *session) allow(ctx context.Context) error {
	s.c.mu.Lock()
	sources := s.c.allowed
	s.c.mu.Unlock()
	return s.transact(ctx, allowFlows(sources)...)
}

// allowFlows are the flows of an allow-list, behind one that takes away what was there.
func allowFlows(sources []netip.Prefix) []ofp.Message {
	list := make([]ofp.Message, 0, 1+len(sources))
	list = append(list, &ofp.FlowMod{Command: ofp.FlowDelete, Table: tableBlocks, Cookie: cookie(kindAllow, 0), CookieMask: kindMask})
	for _, p := range sources {
		p = plain(p)
		m := ofp.Match{Set: ofp.HasEthType, EthType: ofp.EthIPv4, Src: p}
		if !p.Addr().Is4() {
			m.EthType = ofp.EthIPv6
		}
		if p.Bits() == 0 {
			m.Src = netip.Prefix{} // all of a version: no field compares that
		}
		list = append(list, &ofp.FlowMod{
			Cookie: cookie(kindAllow, 0), Table: tableBlocks, Priority: prioAllow + uint16(p.Bits()), Match: m,
			Instructions: ofp.Instructions{Goto: tableForward},
		})
	}
	return list
}

// renewAllowed puts the allow-list on a switch that connected.
func (c *Controller) renewAllowed(ctx context.Context, s *session) error {
	if !slices.Contains(c.all(), s) {
		return nil // it takes no commands
	}
	err := s.allow(ctx)
	if err != nil && !errors.Is(err, ErrSwitch) && ctx.Err() == nil {
		s.log.Error("allow-list not renewed", "error", err)
		return nil
	}
	return err
}
