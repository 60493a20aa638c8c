package webhook

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"
)

// ErrAddress marks an address inside the own network, which endpoints may not have unless allowed: who can choose a webhook
// must not reach what only this machine can reach.
var ErrAddress = errors.New("address inside the own network (option allow-private lets it pass)")

// client talks to endpoints that may be hostile: it follows no redirect, reads few headers, and looks at the address that it
// connects to, whatever name led there. It uses no proxy, which would look names up itself.
func client(cfg Config) *http.Client {
	dialer := &net.Dialer{Timeout: cfg.Timeout}
	if !cfg.AllowPrivate {
		dialer.Control = func(_, address string, _ syscall.RawConn) error { return refuseAddress(address) }
	}
	return &http.Client{
		Timeout: cfg.Timeout, // with the answer's body
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: cfg.Timeout, ResponseHeaderTimeout: cfg.Timeout,
			MaxResponseHeaderBytes: 32 << 10, MaxConnsPerHost: 4, MaxIdleConns: 1, IdleConnTimeout: time.Minute,
			DisableCompression: true, ForceAttemptHTTP2: true,
		},
	}
}

// refuseName refuses names that mean this machine, and addresses of the own network, before anything is sent.
func refuseName(host string, allowed bool) error {
	ip, err := netip.ParseAddr(host)
	switch {
	case allowed:
		return nil
	case err == nil:
		return refuseIP(ip)
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return fmt.Errorf("%w: %s", ErrAddress, host)
	}
	return nil
}

func refuseAddress(address string) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAddress, err)
	}
	return refuseIP(a.Addr())
}

func refuseIP(ip netip.Addr) error {
	ip = ip.Unmap().WithZone("")
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || slices.ContainsFunc(inside(), func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return fmt.Errorf("%w: %s", ErrAddress, ip)
	}
	return nil
}

// inside are networks of IANA's special-purpose registries (RFC 6890) that net/netip counts as global: shared and test
// networks, and IPv6 networks that carry IPv4 addresses, those of the own network among them.
func inside() []netip.Prefix {
	texts := []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
	}
	list := make([]netip.Prefix, 0, len(texts))
	for _, s := range texts {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}
