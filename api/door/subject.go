package door

import (
	"crypto/tls"
	"fmt"
	"time"
)

// Subjects maps the common names of clients' certificates to roles.
type Subjects map[string]Role

// find returns the caller of a verified certificate; nil without one.
func (s Subjects) find(state *tls.ConnectionState, now time.Time) (*Caller, error) {
	if state == nil || len(state.VerifiedChains) == 0 {
		return nil, nil
	}
	cert := state.PeerCertificates[0]
	name := cert.Subject.CommonName
	role, ok := s[name]
	if !ok {
		return nil, fmt.Errorf("%w: the certificate's subject has no role here", ErrUnknown)
	}
	c := &Caller{Name: name, How: "certificate", Role: role, Expiry: cert.NotAfter}
	if c.expired(now) { // the connection may be older
		return nil, fmt.Errorf("%w: the certificate has expired", ErrUnknown)
	}
	return c, nil
}
