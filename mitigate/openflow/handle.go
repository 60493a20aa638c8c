package openflow

import (
	"errors"
	"fmt"

	"mlids"
	"mlids/mitigate/openflow/ofp"
)

// handle takes one message of the switch. Its error ends the connection.
func (s *session) handle(h ofp.Header, body []byte) error {
	if !s.hello {
		return s.greet(h, body)
	}
	switch h.Type {
	case ofp.TypePacketIn:
		return s.packetIn(body)
	case ofp.TypeMultipartReply:
		if err := s.reply.Decode(body); err != nil {
			return wrong(err)
		}
		return s.answer(h, body, !s.reply.More)
	case ofp.TypeFeaturesReply, ofp.TypeGetConfigReply, ofp.TypeBarrierReply, ofp.TypeRoleReply:
		return s.answer(h, body, true)
	case ofp.TypeError:
		return s.refused(h, body)
	case ofp.TypeEchoRequest:
		s.out.put(h.XID, &ofp.Echo{Reply: true, Data: body})
	case ofp.TypeFlowRemoved:
		return s.flowRemoved(body)
	case ofp.TypePortStatus:
		return s.portStatus(body)
	case ofp.TypeEchoReply, ofp.TypeExperimenter, ofp.TypeHello:
	default:
		return fmt.Errorf("not for a controller: %w", ErrSwitch)
	}
	return nil
}

// wrong marks an error of decoding as the switch's fault.
func wrong(err error) error {
	if err == nil || errors.Is(err, ErrSwitch) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrSwitch, err)
}

// greet takes the first message, which must be a hello that offers OpenFlow 1.3.
func (s *session) greet(h ofp.Header, body []byte) error {
	if h.Type != ofp.TypeHello {
		return fmt.Errorf("before the hello: %w", ErrSwitch)
	}
	var m ofp.Hello
	if err := m.Decode(body); err != nil {
		return wrong(err)
	}
	if !m.Speaks(h) {
		s.out.put(h.XID, &ofp.Error{Of: ofp.ErrorHello, Code: ofp.CodeVersion, Data: []byte("OpenFlow 1.3 only")})
		return fmt.Errorf("version %d at most, versions %#x: %w: %w", h.Version, m.Versions, ErrSwitch, ofp.ErrVersion)
	}
	s.hello = true
	close(s.greeted)
	return nil
}

// answer hands an answer to whoever asked.
func (s *session) answer(h ofp.Header, body []byte, last bool) error {
	asked, err := s.calls.answer(h, body, last)
	if err == nil && !asked {
		err = fmt.Errorf("number %d that nobody asked for: %w", h.XID, ErrSwitch)
	}
	return wrong(err)
}

// refused takes the refusal of a message.
func (s *session) refused(h ofp.Header, body []byte) error {
	var e ofp.Error
	if err := e.Decode(body); err != nil {
		return wrong(err)
	}
	asked := s.calls.refuse(h.XID, &e)
	at := s.node.Load()
	switch {
	case e.Of == ofp.ErrorHello:
		return fmt.Errorf("%w: %w", ErrSwitch, &e)
	case at == nil || e.Has(ofp.ErrorMeterMod, ofp.CodeMeterKnown):
	case e.Has(ofp.ErrorRequest, ofp.CodeSlave):
		if s.c.net.setSlave(at, true) {
			s.log.Warn("another controller is this switch's master now")
		}
	case e.Of == ofp.ErrorAction && s.c.net.noCopies(at):
		s.log.Warn("the switch cannot copy packets through a meter: the detector sees first packets only", "error", &e)
	case !asked && s.noise.Allow():
		s.log.Warn("the switch refused a message", "error", &e)
	}
	return nil
}

// packetIn takes a packet.
func (s *session) packetIn(body []byte) error {
	if err := s.in.Decode(body); err != nil {
		return wrong(err)
	}
	at := s.node.Load()
	if at == nil {
		return nil
	}
	s.c.count.came(s.in.Cookie)
	a := arrival{in: &s.in, packet: &s.packet}
	if !s.parse(&a) {
		return nil
	}
	if s.c.net.packetIn(at, &a) {
		shown := s.c.feed.push(s.in.Data, int(s.in.TotalLen), mlids.Port{Switch: at.id, Number: s.in.Match.InPort}, 0)
		if m, ok := exactMatch(&a.frame, s.in.Match.InPort, a.reason, a.packet); shown && ok && kindOf(s.in.Cookie) == kindForward {
			s.counting.show(m)
		}
	}
	return nil
}

// flowRemoved takes the end of a flow: only blocks ask to be told.
func (s *session) flowRemoved(body []byte) error {
	var m ofp.FlowRemoved
	if err := m.Decode(body); err != nil {
		return wrong(err)
	}
	if at := s.node.Load(); at != nil && kindOf(m.Cookie) == kindBlock && m.Reason == ofp.RemovedHard {
		s.c.blockEnded(s, blockID(m.Cookie))
	}
	return nil
}

// portStatus takes a change of a port.
func (s *session) portStatus(body []byte) error {
	var m ofp.PortStatus
	if err := m.Decode(body); err != nil {
		return wrong(err)
	}
	at := s.node.Load()
	if at == nil {
		return nil
	}
	if s.noise.Allow() {
		s.log.Info("port changed", "port", m.Port.Number, "name", m.Port.Name, "up", m.Port.Up(), "gone", m.Reason == ofp.PortDeleted)
	}
	if !s.changes.Allow() {
		return fmt.Errorf("more than %d changes of ports a second: %w", portChanges, ErrSwitch)
	}
	if !s.c.net.portStatus(at, &m) {
		return fmt.Errorf("more than %d ports: %w", maxPorts, ErrSwitch)
	}
	return nil
}
