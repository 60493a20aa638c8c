package openflow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"mlids/capture"
	"mlids/mitigate/openflow/ofp"
)

// setUp asks a switch who it is, lays out its tables around what it already has, and brings it into the network.
func (s *session) setUp(ctx context.Context) error {
	s.send(&ofp.Hello{Versions: 1 << ofp.Version})
	if err := s.awaitHello(ctx); err != nil {
		return err
	}
	at, mine, err := s.askWho(ctx)
	if err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	if at.slave, err = s.takeRole(ctx); err != nil {
		return fmt.Errorf("set up: role: %w", err)
	}
	if !at.slave {
		if err := s.layOut(ctx, at); err != nil {
			return fmt.Errorf("set up: %w", err)
		}
	}
	return s.c.joined(ctx, s, at, mine)
}

func (s *session) awaitHello(ctx context.Context) error {
	timer := time.NewTimer(s.c.cfg.Answer)
	defer timer.Stop()
	select {
	case <-s.greeted:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fmt.Errorf("no hello for %v: %w", s.c.cfg.Answer, ErrSwitch)
	}
}

// askWho reads what the switch is and which ports it has.
func (s *session) askWho(ctx context.Context) (*node, *ofp.Description, error) {
	var f ofp.Features
	err := s.ask(ctx, &ofp.Empty{Of: ofp.TypeFeaturesRequest}, func(h ofp.Header, body []byte) error {
		if h.Type != ofp.TypeFeaturesReply {
			return fmt.Errorf("%v in answer to a features request: %w", h.Type, ErrSwitch)
		}
		return f.Decode(body)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("features: %w", err)
	}
	if f.Auxiliary != 0 {
		return nil, nil, fmt.Errorf("auxiliary connection %d: only main ones are served: %w", f.Auxiliary, ErrSwitch)
	}
	if f.Tables < 2 {
		return nil, nil, fmt.Errorf("%d tables, want 2: %w", f.Tables, ErrSwitch)
	}
	at := &node{id: f.Datapath, send: s.send, ports: map[uint32]*port{}}
	var d, ignored ofp.Description
	if err := s.ask(ctx, &ofp.MultipartRequest{Of: ofp.PartDescription}, parts(ofp.PartDescription, &ignored, func(r *ofp.Description) error {
		d = *r
		return nil
	})); err != nil {
		return nil, nil, fmt.Errorf("description: %w", err)
	}
	if err := s.askPorts(ctx, at); err != nil {
		return nil, nil, fmt.Errorf("ports: %w", err)
	}
	return at, &d, s.askMeters(ctx, at, &d)
}

func (s *session) askPorts(ctx context.Context, at *node) error {
	now := time.Now()
	return s.ask(ctx, &ofp.MultipartRequest{Of: ofp.PartPorts}, parts(ofp.PartPorts, &ofp.Port{}, func(p *ofp.Port) error {
		if !realPort(p.Number) {
			return nil
		}
		if len(at.ports) >= maxPorts {
			return fmt.Errorf("more than %d ports: %w", maxPorts, ErrSwitch)
		}
		at.ports[p.Number] = newPort(*p, now, s.c.cfg.MaxHosts)
		return nil
	}))
}

// openVSwitch is the manufacturer that Open vSwitch names.
const openVSwitch = "Nicira, Inc."

// askMeters finds out which meters the switch has. One that does not know the question has none.
func (s *session) askMeters(ctx context.Context, at *node, d *ofp.Description) error {
	err := s.ask(ctx, &ofp.MultipartRequest{Of: ofp.PartMeterFeatures}, parts(ofp.PartMeterFeatures, &ofp.MeterFeatures{},
		func(m *ofp.MeterFeatures) error {
			at.meters, at.own = m.Drops() && m.Max >= lastMeter, m.Max >= ownMeters
			return nil
		}))
	if _, refused := errors.AsType[*ofp.Error](err); refused {
		err = nil
	}
	at.copies = at.meters && d.Manufacturer == openVSwitch
	return err
}

// takeRole tells the switch what we are. It reports whether we are a slave.
func (s *session) takeRole(ctx context.Context) (bool, error) {
	role := s.c.cfg.Role
	if role == ofp.RoleEqual {
		return false, nil
	}
	var answer ofp.RoleMessage
	take := func(h ofp.Header, body []byte) error {
		answer.Reply = true
		return answer.Decode(body)
	}
	for {
		if err := s.ask(ctx, &ofp.RoleMessage{Role: ofp.RoleAsk}, take); err != nil {
			return false, err
		}
		generation := answer.Generation
		if role == ofp.RoleMaster { // newer than all that the switch heard of; all ones, none yet, becomes 0
			generation++
		}
		err := s.ask(ctx, &ofp.RoleMessage{Role: role, Generation: generation}, take)
		if refusal, ok := errors.AsType[*ofp.Error](err); ok && refusal.Has(ofp.ErrorRole, ofp.CodeStale) {
			continue // another one was faster
		}
		return role == ofp.RoleSlave, err
	}
}

// layOut puts the flows and meters that are always there. What is there already stays: blocks and forwarding flows go on.
func (s *session) layOut(ctx context.Context, at *node) error {
	known, err := s.askMeterIDs(ctx, at)
	if err != nil {
		return fmt.Errorf("meters: %w", err)
	}
	if err := s.askFlows(ctx, at); err != nil {
		return fmt.Errorf("flows: %w", err)
	}
	s.foreign = s.others(known)
	list := append([]ofp.Message{&ofp.Config{MissLen: ofp.MaxLenAll}}, baseFlows()...)
	for _, m := range s.wantedMeters(at) {
		mod := &ofp.MeterMod{Command: ofp.MeterAdd, Meter: m}
		if known[m.ID] {
			mod.Command = ofp.MeterModify
		}
		known[m.ID] = true
		list = append(list, mod)
	}
	for number, p := range at.ports {
		list = append(list, at.missFlow(number))
		if !p.Up() {
			list = append(list, deadPort(number)...)
		}
	}
	return s.transact(ctx, list...)
}

// others are the known meters that no block of ours uses.
func (s *session) others(known map[uint32]bool) map[uint32]bool {
	rest := maps.Clone(known)
	for _, id := range s.meters {
		delete(rest, id)
	}
	return rest
}

// wantedMeters are the meters of all ports, each once.
func (s *session) wantedMeters(at *node) []ofp.Meter {
	if !at.meters {
		return nil
	}
	var list []ofp.Meter
	seen := map[uint32]bool{}
	for number := range at.ports {
		for _, m := range at.portMeters(number, &s.c.cfg) {
			if !seen[m.ID] {
				seen[m.ID] = true
				list = append(list, m)
			}
		}
	}
	return list
}

// deadPort removes the flows through a port that went down while nobody was told.
func deadPort(number uint32) []ofp.Message {
	kinds := []uint64{kindForward, kindCoarse, kindTree}
	list := make([]ofp.Message, 0, len(kinds))
	for _, kind := range kinds {
		list = append(list, &ofp.FlowMod{
			Command: ofp.FlowDelete, Table: tableForward, Cookie: cookie(kind, 0), CookieMask: kindMask, OutPort: number,
		})
	}
	return list
}

func (s *session) askMeterIDs(ctx context.Context, at *node) (map[uint32]bool, error) {
	known := map[uint32]bool{}
	if !at.meters {
		return known, nil
	}
	return known, s.ask(ctx, &ofp.MultipartRequest{Of: ofp.PartMeterConfig, Meter: ofp.MeterAll},
		parts(ofp.PartMeterConfig, &ofp.MeterConfig{}, func(m *ofp.MeterConfig) error {
			known[m.ID] = true
			return nil
		}))
}

// askFlows reads our flows from an earlier run: whom they forward for, and the meters of blocks.
func (s *session) askFlows(ctx context.Context, at *node) error {
	seen := map[sighting]bool{}
	s.meters = map[string]uint32{}
	err := s.ask(ctx, &ofp.MultipartRequest{Of: ofp.PartFlows, Table: ofp.TableAll, Cookie: ours, CookieMask: oursMask},
		flowParts(&ofp.FlowStats{}, func(f *ofp.FlowStats) error {
			switch kindOf(f.Cookie) {
			case kindBlock:
				if f.Instructions.Meter != 0 {
					s.meters[blockID(f.Cookie)] = f.Instructions.Meter
				}
			case kindForward:
				at.flows++
				m := &f.Match
				seen[sighting{m.InPort, hostKey{m.EthSrc, m.VLAN &^ ofp.VLANPresent}}] = true
			}
			if len(seen) > maxSources {
				return fmt.Errorf("flows of more than %d hosts: %w", maxSources, ErrSwitch)
			}
			return nil
		}))
	for one := range seen {
		at.known = append(at.known, one)
	}
	return err
}

// parse reads the headers of a packet-in's frame.
func (s *session) parse(a *arrival) bool {
	var ok bool
	if a.frame, ok = parseFrame(s.in.Data); !ok {
		return false
	}
	if a.isIP() {
		f := capture.Frame{Data: s.in.Data, WireLen: uint32(s.in.TotalLen), Link: capture.LinkEthernet}
		a.reason = s.dec.Decode(&f, &s.packet)
	}
	return true
}
