// Package awsconf is how the ways out to Amazon's services find region, keys and endpoint: options of the URL, then the
// environment of ML-IDS (AWS_REGION, AWS_ACCESS_KEY, AWS_SECRET_KEY), then the SDK's own default chain (files, roles).
package awsconf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"mlids/notify"
)

// ErrConfig marks configuration that no client can be made of.
var ErrConfig = errors.New("AWS configuration")

// Config says which account and place. Zero fields are found by the SDK.
type Config struct {
	Region    string
	Endpoint  string // URL in place of the service's own, for emulators and private endpoints
	AccessKey string
	SecretKey string
	Timeout   time.Duration // of one request, with connecting; 0 for 10 s
}

// Env is what the environment says, with the names of ML-IDS.
func Env(lookup func(string) (string, bool)) Config {
	get := func(name string) string {
		v, _ := lookup(name)
		return v
	}
	return Config{
		Region: get("AWS_REGION"), Endpoint: get("AWS_ENDPOINT_URL"), AccessKey: get("AWS_ACCESS_KEY"), SecretKey: get("AWS_SECRET_KEY"),
	}
}

// Options reads region, endpoint and timeout of a URL over what the environment says.
func (c Config) Options(o *notify.Options) Config {
	c.Region, c.Endpoint = o.String("region", c.Region), o.String("endpoint", c.Endpoint)
	c.Timeout = o.Duration("timeout", cmp.Or(c.Timeout, 10*time.Second), time.Millisecond, 5*time.Minute)
	return c
}

// Load makes the SDK's configuration. It reads the SDK's files and asks no service. Requests are made once: who calls
// tries again.
func Load(ctx context.Context, c Config) (aws.Config, error) {
	if (c.AccessKey == "") != (c.SecretKey == "") {
		return aws.Config{}, fmt.Errorf("%w: of AWS_ACCESS_KEY and AWS_SECRET_KEY one is set; set both or none", ErrConfig)
	}
	timeout := cmp.Or(c.Timeout, 10*time.Second)
	options := []func(*config.LoadOptions) error{
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
		config.WithHTTPClient(client(timeout)),
	}
	if c.Region != "" {
		options = append(options, config.WithRegion(c.Region))
	}
	if c.AccessKey != "" {
		options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, "")))
	}
	if c.Endpoint != "" {
		if u, err := url.Parse(c.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return aws.Config{}, fmt.Errorf("%w: endpoint %q: want http://HOST:PORT or https://HOST", ErrConfig, c.Endpoint)
		}
		options = append(options, config.WithBaseEndpoint(c.Endpoint))
	}
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	switch {
	case err != nil:
		return aws.Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	case loaded.Region == "":
		return aws.Config{}, fmt.Errorf("%w: no region: set AWS_REGION or the option region", ErrConfig)
	}
	return loaded, nil
}

// client bounds the time of a request and the headers of an answer. It is of the SDK's own kind, which takes the
// certificates of AWS_CA_BUNDLE.
func client(timeout time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTimeout(timeout).WithTransportOptions(func(t *http.Transport) {
		t.ResponseHeaderTimeout, t.MaxResponseHeaderBytes = timeout, 64<<10
	})
}

// Classify marks errors that come again however often a request is made: the request is wrong, not the service. Missing
// rights and queues are none of them: somebody may grant or make them, and the messages shall go out then.
func Classify(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	switch api.ErrorCode() {
	case "InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "ValidationError", "ValidationException",
		"InvalidMessageContents", "InvalidAttributeValue", "BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong",
		"UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", "InvalidBatchEntryId":
		return fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	return err
}
