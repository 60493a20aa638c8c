package alert

import (
	"fmt"
	"net/netip"
	"strings"

	"mlids"
)

// Endpoint is an address with its port, where the protocol has ports: 10.0.0.1:80, [2001:db8::1]:80.
func Endpoint(a netip.Addr, port uint16, proto uint8) string {
	if !a.IsValid() {
		return "?"
	}
	a = a.Unmap().WithZone("")
	if proto != mlids.ProtoTCP && proto != mlids.ProtoUDP && proto != mlids.ProtoSCTP {
		return a.String()
	}
	return netip.AddrPortFrom(a, port).String()
}

// Reason names the columns that counted most for a verdict, at most so many: "srv_count = 511 (+2.50)".
func Reason(a *mlids.Alert, most int) string {
	top := a.Top[:min(most, len(a.Top))]
	parts := make([]string, 0, len(top))
	for _, c := range top {
		parts = append(parts, fmt.Sprintf("%s = %.6g (%+.2f)", c.Column, c.Value, c.Amount))
	}
	return strings.Join(parts, ", ")
}

// Severity is how urgent a verdict is: 1 (the most) to 3, as Suricata's classes have it.
func Severity(v mlids.Verdict) int {
	r, place := find(v.Class)
	switch {
	case !v.Attack:
		return 3
	case place < 0:
		return 2
	}
	return r.kind.severity
}
