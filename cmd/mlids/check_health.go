package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// configured stands for the address of the server that serve's configuration starts.
const configured = "configured"

// checkHealth asks a server whether it is ready: the one at url, or the configured one.
func (a *app) checkHealth(cmd *cobra.Command, url, ca string) error {
	client, err := clientTrusting(ca)
	if err != nil {
		return badInput(err)
	}
	if url == configured {
		serve, err := a.configured(cmd, "serve")
		if err != nil {
			return badInput(err)
		}
		if url, err = localURL(serve.Flags().Lookup("listen").Value.String()); err != nil {
			return badInput(err)
		}
		if cert := serve.Flags().Lookup("tls-cert").Value.String(); cert != "" {
			url = "https" + strings.TrimPrefix(url, "http")
			client = clientOf(cert)
		}
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), 5*time.Second)
	defer cancel()
	body, err := ready(ctx, client, strings.TrimSuffix(url, "/"))
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s\n", body)
	return nil
}

// localURL is where a server that listens on an address is reached from its own machine.
func localURL(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("--listen: %w", err)
	}
	addr, err := netip.ParseAddr(host)
	switch {
	case host == "", err == nil && addr.IsUnspecified() && addr.Is4():
		host = "127.0.0.1"
	case err == nil && addr.IsUnspecified():
		host = "::1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// ready returns what /readyz says; an error when it says anything but yes.
func ready(ctx context.Context, client *http.Client, url string) (json.RawMessage, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return nil, badInput(err)
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var body json.RawMessage
	if err := json.NewDecoder(http.MaxBytesReader(nil, res.Body, 1<<16)).Decode(&body); err != nil {
		return nil, fmt.Errorf("%s answered %s without JSON: %w", url, res.Status, err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s: %s", url, res.Status, body)
	}
	return body, nil
}
