package sagemaker

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// ErrConfig is returned for a configuration that no endpoint can be asked with.
var ErrConfig = errors.New("unusable SageMaker configuration")

// Patterns are compiled where they are asked, which is once, and not at every start of the program: that of names takes a millisecond.
const (
	// endpointName is what CreateEndpoint accepts.
	endpointName = `^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$`
	// runtimeHost has the region in the service's own names, those of VPC endpoints included.
	runtimeHost = `(?:^|\.)runtime\.sagemaker(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?$`
)

// parseEndpoint finds the endpoint's name in the forms that ML-IDS took: the name, the path /endpoints/NAME/invocations, or
// the whole URL.
func parseEndpoint(text string) (string, error) {
	name := strings.TrimSpace(text)
	if _, rest, found := strings.Cut(name, "://"); found {
		_, name, _ = strings.Cut(rest, "/")
	}
	name = strings.Trim(name, "/")
	if rest, found := strings.CutPrefix(name, "endpoints/"); found {
		name = strings.TrimSuffix(rest, "/invocations")
	}
	if !regexp.MustCompile(endpointName).MatchString(name) {
		return "", fmt.Errorf("%w: endpoint %q; want a name of letters, digits and hyphens, or /endpoints/NAME/invocations", ErrConfig, text)
	}
	return name, nil
}

// parseHost makes a URL of the service's host, given with or without protocol; "" stays "", for the region's own.
func parseHost(text string) (*url.URL, error) {
	host := strings.TrimSpace(text)
	if host == "" {
		return nil, nil
	}
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	u, err := url.Parse(host)
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return nil, fmt.Errorf("%w: the host is no https://HOST[:PORT]", ErrConfig)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%w: host %s: protocol %q; want https", ErrConfig, u.Host, u.Scheme)
	}
	if strings.HasPrefix(u.Path, "/endpoints/") { // the whole URL of the endpoint was given
		u.Path = ""
	}
	return u, nil
}

// regionOf finds the region in the name of a host; "" for hosts of other kinds.
func regionOf(host *url.URL) string {
	if host == nil {
		return ""
	}
	found := regexp.MustCompile(runtimeHost).FindStringSubmatch(host.Hostname())
	if found == nil {
		return ""
	}
	return found[1]
}

// isOpen reports whether rows would cross a network unencrypted.
func isOpen(host *url.URL) bool {
	if host == nil || host.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(host.Hostname())
	return host.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}
