package openflow

import (
	"fmt"
	"strconv"
)

// Cookies of our flows: 16 bits that say whose and what kind of flow it is, and 48 bits of the kind's own.
const (
	kindBase    = 0x6d60 + iota // what is always there
	kindMiss                    // hands packets without a flow to the controller
	kindForward                 // an exact flow; 48 bits: the switch that it leads to
	kindCoarse                  // a flow to one address; likewise
	kindTree                    // a flow to many along the spanning tree
	kindBlock                   // 48 bits: the block's ID
	kindAllow                   // lets a source pass, whatever the blocks say
)

const (
	kindShift  = 48
	kindMask   = uint64(0xffff) << kindShift
	oursMask   = uint64(0xfff0) << kindShift
	ours       = uint64(kindBase) << kindShift
	lowBits    = uint64(1)<<kindShift - 1
	everything = ^uint64(0)
)

// cookie makes a cookie; of an id longer than 48 bits the lower ones count.
func cookie(kind uint64, id uint64) uint64 { return kind<<kindShift | id&lowBits }

func kindOf(cookie uint64) uint64 { return cookie >> kindShift }

// blockCookie is the cookie of the block with this ID.
func blockCookie(id string) (uint64, error) {
	n, err := strconv.ParseUint(id, 16, 48)
	if err != nil || len(id) != 12 || blockID(n) != id {
		return 0, fmt.Errorf("ID %q, want 12 lower-case hex digits: %w", id, ErrBlock)
	}
	return cookie(kindBlock, n), nil
}

// blockID is the ID of the block that a flow with this cookie belongs to.
func blockID(cookie uint64) string { return fmt.Sprintf("%012x", cookie&lowBits) }

// switchName is how a switch is called in logs and metrics: its datapath id as Open vSwitch prints it.
func switchName(id uint64) string { return fmt.Sprintf("%016x", id) }

// String is the switch and the number of the port.
func (p point) String() string { return fmt.Sprintf("%s:%d", switchName(p.node), p.port) }
