package sagemaker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/prometheus/client_golang/prometheus"
)

// Limits of one call. The service takes 6 MB from instances and 4 MB from serverless endpoints, and gives containers 60 s
// (docs.aws.amazon.com/sagemaker, "Invoke models for real-time inference").
const (
	MaxPayload = 6 << 20 // bytes of a request
	maxAnswer  = 8 << 20 // bytes of an answer
)

// Config says which endpoint to ask, and how. Zero fields take the default given.
type Config struct {
	Endpoint string // name, path or URL of the endpoint; required
	Host     string // of the runtime service, with or without protocol: the region's own
	Region   string // found in Host, else by the SDK's chain

	// AccessKey and SecretKey sign requests, SessionToken with them when they are temporary. Without: the SDK's default
	// chain (environment, shared files, the role of the task, pod or machine).
	AccessKey, SecretKey, SessionToken string

	Threshold float64 // attack probability from which a row is an attack: 0.5
	Payload   int     // bytes of a request; larger tables are split: 4,000,000
	Parallel  int     // calls in flight, over all requests; others wait: 16

	Attempts   int           // tries of one call when it is throttled or the service fails: 4
	MaxBackoff time.Duration // longest wait between tries: 5 s
	Attempt    time.Duration // for one try: 30 s
	Timeout    time.Duration // for a whole table, waits included: 60 s

	Failures int           // calls that fail in a row until none is made: 5
	Pause    time.Duration // for which none is made then: 10 s
}

func (c Config) withDefaults() Config {
	c.Threshold = cmp.Or(c.Threshold, 0.5)
	c.Payload = min(cmp.Or(max(c.Payload, 0), 4_000_000), MaxPayload)
	c.Parallel = cmp.Or(max(c.Parallel, 0), 16)
	c.Attempts = cmp.Or(max(c.Attempts, 0), 4)
	c.MaxBackoff = cmp.Or(max(c.MaxBackoff, 0), 5*time.Second)
	c.Attempt = cmp.Or(max(c.Attempt, 0), 30*time.Second)
	c.Timeout = cmp.Or(max(c.Timeout, 0), 60*time.Second)
	c.Failures = cmp.Or(max(c.Failures, 0), 5)
	c.Pause = cmp.Or(max(c.Pause, 0), 10*time.Second)
	return c
}

func (c *Config) check() error {
	switch {
	case (c.AccessKey == "") != (c.SecretKey == ""):
		return fmt.Errorf("%w: an access key goes with a secret key; give both, or none for the default chain", ErrConfig)
	case c.SessionToken != "" && c.AccessKey == "":
		return fmt.Errorf("%w: a session token goes with an access key and a secret key", ErrConfig)
	case !(c.Threshold > 0 && c.Threshold <= 1):
		return fmt.Errorf("%w: threshold %v; want more than 0, 1 at most", ErrConfig, c.Threshold)
	}
	return nil
}

// Deps is what a client is given. Log and Register must be set.
type Deps struct {
	Log       *slog.Logger
	Register  prometheus.Registerer
	Transport http.RoundTripper // nil: one of its own
}

func (d *Deps) check() error {
	if d.Log == nil || d.Register == nil {
		return errors.Join(ErrConfig, errors.New("want a logger and a metrics registerer"))
	}
	return nil
}

// awsConfig finds region and credentials. The default chain reads the environment and files of this machine; a role is only
// asked for when the first request is signed.
func awsConfig(ctx context.Context, c *Config) (aws.Config, error) {
	var options []func(*config.LoadOptions) error
	if c.Region != "" {
		options = append(options, config.WithRegion(c.Region))
	}
	if c.AccessKey != "" {
		options = append(options, config.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, c.SessionToken)))
	}
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	switch {
	case err != nil:
		return aws.Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	case loaded.Region == "":
		return aws.Config{}, fmt.Errorf("%w: no region; set AWS_REGION", ErrConfig)
	}
	return loaded, nil
}
