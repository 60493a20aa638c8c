package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
)

// clientTrusting is a client that trusts the certificates of a file besides the system's; "" for those alone.
func clientTrusting(file string) (*http.Client, error) {
	if file == "" {
		return http.DefaultClient, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in PEM", file)
	}
	return clientWith(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}), nil
}

// clientOf is a client of the one server that has the certificate of a file, under whatever name it is called: the health check
// of a container calls 127.0.0.1.
func clientOf(certFile string) *http.Client {
	return clientWith(&tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection wants the very certificate
		VerifyConnection: func(state tls.ConnectionState) error {
			text, err := os.ReadFile(certFile)
			if err != nil {
				return err
			}
			block, _ := pem.Decode(text)
			if block == nil || !bytes.Equal(block.Bytes, state.PeerCertificates[0].Raw) {
				return errors.New("the server has another certificate than the configuration")
			}
			return nil
		},
	})
}

func clientWith(cfg *tls.Config) *http.Client {
	return &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: cfg}}
}
