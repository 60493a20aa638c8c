package openflow

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids/mitigate/openflow/ofp"
)

// Config says how the controller listens and what it lets the network do. The zero value of each field is usable.
type Config struct {
	Listen string      // host:port; "" for 127.0.0.1:6653
	TLS    *tls.Config // nil for plain TCP; to be trusted, switches must show certificates: set ClientAuth
	Role   ofp.Role    // RoleEqual, RoleMaster or RoleSlave; 0 for equal

	Idle     time.Duration // flows without packets end after it, in whole seconds; 0 for 15 s
	NewFlows int           // exact flows per second that a port may cause before coarser ones take over; 0 for 200
	MaxFlows int           // exact flows on a switch at most; 0 for 20,000
	MaxHosts int           // addresses learned on one port at most; 0 for 1,024

	MissRate  uint32 // packets per second of a port that may ask the controller; 0 for 1,000
	CopyRate  uint32 // packets per second of a port's installed flows that are copied to the detector; 0 for 1,000
	CopyBytes uint16 // of each copy; 0 for 256
	FeedSlots int    // frames that wait for the detector; 0 for 8,192

	Probe  time.Duration // how often links are probed; one is down after three without answer; 0 for 2 s
	Settle time.Duration // how long a new port is probed before hosts may be behind it; 0 for 500 ms
	Poll   time.Duration // how often the switches' counters are read; 0 for 1 s
	Answer time.Duration // how long a switch may take for an answer; 0 for 10 s
}

// Deps are what the controller needs from outside.
type Deps struct {
	Log      *slog.Logger
	Register prometheus.Registerer
}

// The ways in which the controller fails.
var (
	ErrSwitch   = errors.New("switch misbehaves")     // and was disconnected
	ErrNoSwitch = errors.New("no switch to do it on") // none connected, none with that datapath id, or only as slave
	ErrBlock    = errors.New("block cannot be carried out")
)

// limits of what one controller takes on.
const (
	maxSwitches = 1024
	maxPorts    = 4096 // of a switch
	portChanges = 100  // a second, of a switch, and twice maxPorts at once
)

// withDefaults fills in the zero fields.
func (c Config) withDefaults() (Config, error) {
	c.Listen = cmp.Or(c.Listen, "127.0.0.1:6653")
	c.Role = cmp.Or(c.Role, ofp.RoleEqual)
	c.Idle = cmp.Or(c.Idle, 15*time.Second)
	c.NewFlows = cmp.Or(c.NewFlows, 200)
	c.MaxFlows = cmp.Or(c.MaxFlows, 20_000)
	c.MaxHosts = cmp.Or(c.MaxHosts, 1024)
	c.MissRate = cmp.Or(c.MissRate, 1000)
	c.CopyRate = cmp.Or(c.CopyRate, 1000)
	c.CopyBytes = cmp.Or(c.CopyBytes, 256)
	c.FeedSlots = cmp.Or(c.FeedSlots, 8192)
	c.Probe = cmp.Or(c.Probe, 2*time.Second)
	c.Settle = cmp.Or(c.Settle, 500*time.Millisecond)
	c.Poll = cmp.Or(c.Poll, time.Second)
	c.Answer = cmp.Or(c.Answer, 10*time.Second)
	switch {
	case c.Role > ofp.RoleSlave:
		return c, fmt.Errorf("role %d: want equal, master or slave", c.Role)
	case c.Idle < time.Second || c.Idle > time.Hour:
		return c, fmt.Errorf("idle time-out %v: want 1s to 1h", c.Idle)
	case c.NewFlows < 0 || c.MaxFlows < 0 || c.MaxHosts < 0 || c.FeedSlots < 0:
		return c, errors.New("limits of flows, hosts and frames are at least 1")
	case min(c.Probe, c.Settle, c.Poll, c.Answer) < 10*time.Millisecond:
		return c, errors.New("periods are at least 10ms")
	}
	return c, nil
}
