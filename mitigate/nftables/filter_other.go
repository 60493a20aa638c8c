//go:build !linux

package nftables

import (
	"errors"

	"mlids/mitigate"
)

// New fails: the packet filter is Linux's.
func New(string) (mitigate.Enforcer, error) { return nil, errors.New("nftables: needs Linux") }
