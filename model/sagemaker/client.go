package sagemaker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime/types"
	"github.com/sony/gobreaker/v2"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"mlids"
	"mlids/dataset"
)

// mediaSplit is how tables are sent, the form that ML-IDS and MLflow's scoring server know.
const mediaSplit = "application/json; format=pandas-split"

// Client asks one endpoint. It is safe for concurrent use.
type Client struct {
	cfg      Config
	endpoint string
	log      *slog.Logger
	metrics  *metrics
	runtime  *sagemakerruntime.Client
	breaker  *gobreaker.CircuitBreaker[[]mlids.Verdict]
	places   *semaphore.Weighted // calls in flight
}

// New makes a client and registers its metrics. It asks nobody yet; a wrong configuration is ErrConfig.
func New(ctx context.Context, cfg Config, deps Deps) (*Client, error) {
	if err := deps.check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	endpoint, err := parseEndpoint(cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	host, err := parseHost(cfg.Host)
	if err != nil {
		return nil, err
	}
	if cfg.Region == "" {
		cfg.Region = regionOf(host)
	}
	if isOpen(host) {
		deps.Log.WarnContext(ctx, "rows go to SageMaker unencrypted: the host is given with http://", "host", host.Host)
	}
	loaded, err := awsConfig(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(deps.Register)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	c := &Client{cfg: cfg, endpoint: endpoint, log: deps.Log, metrics: m, places: semaphore.NewWeighted(int64(cfg.Parallel))}
	c.runtime = sagemakerruntime.NewFromConfig(loaded, func(o *sagemakerruntime.Options) {
		o.HTTPClient = newBounded(&cfg, deps.Transport)
		o.Retryer = c.retryer()
		if host != nil {
			o.BaseEndpoint = aws.String(strings.TrimSuffix(host.String(), "/"))
		}
	})
	c.breaker = gobreaker.NewCircuitBreaker[[]mlids.Verdict](c.breakerSettings())
	return c, nil
}

// Name is how answers and metrics call this backend.
func (c *Client) Name() string { return "sagemaker" }

// Endpoint is the name of the endpoint.
func (c *Client) Endpoint() string { return c.endpoint }

// Classify returns a verdict for each row, in the rows' order. It fails as a whole, with an *Error. The breaker counts
// tables, not calls: were it calls, those of one table would push each other away while it tries whether the endpoint is back.
func (c *Client) Classify(ctx context.Context, rows *dataset.Rows) ([]mlids.Verdict, error) {
	chunks, err := split(rows, c.cfg.Payload)
	if err != nil {
		return nil, err
	}
	verdicts, err := c.breaker.Execute(func() ([]mlids.Verdict, error) { return c.table(ctx, rows, chunks) })
	if err == nil {
		c.metrics.rows.Add(float64(rows.N))
		return verdicts, nil
	}
	e := explain(c.endpoint, err)
	if e.Class == classOpen {
		c.metrics.calls.WithLabelValues(e.Class).Inc()
	}
	return nil, e
}

// table has all parts of a table classified; the first failure ends the others.
func (c *Client) table(ctx context.Context, rows *dataset.Rows, chunks []chunk) ([]mlids.Verdict, error) {
	verdicts := make([]mlids.Verdict, rows.N)
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.cfg.Parallel)
	for _, part := range chunks {
		group.Go(func() error { return c.chunk(ctx, part, rows, verdicts[part.from:part.to]) })
	}
	return verdicts, group.Wait()
}

// chunk fills in the verdicts of a part of a table.
func (c *Client) chunk(ctx context.Context, part chunk, rows *dataset.Rows, verdicts []mlids.Verdict) error {
	if err := c.places.Acquire(ctx, 1); err != nil {
		return explain(c.endpoint, err)
	}
	defer c.places.Release(1)
	start := time.Now()
	out, err := c.invoke(ctx, part.document(rows))
	if err == nil {
		err = c.read(out, verdicts)
	}
	if err != nil {
		return c.failed(ctx, err, time.Since(start))
	}
	c.metrics.called(outcomeOK, time.Since(start))
	variant := deref(out.InvokedProductionVariant)
	for i := range verdicts {
		verdicts[i].Model, verdicts[i].Version = c.endpoint, variant
	}
	return nil
}

func (c *Client) invoke(ctx context.Context, document []byte) (*sagemakerruntime.InvokeEndpointOutput, error) {
	out, err := c.runtime.InvokeEndpoint(ctx, &sagemakerruntime.InvokeEndpointInput{
		EndpointName: &c.endpoint, Body: document,
		ContentType: aws.String(mediaSplit), Accept: aws.String("application/json"),
	})
	if out != nil {
		if tries, ok := retry.GetAttemptResults(out.ResultMetadata); ok {
			c.metrics.retries.Add(float64(len(tries.Results) - 1))
		}
	}
	return out, err
}

// read makes verdicts of an answer.
func (c *Client) read(out *sagemakerruntime.InvokeEndpointOutput, verdicts []mlids.Verdict) error {
	err := parseAnswer(deref(out.ContentType), out.Body, c.cfg.Threshold, verdicts)
	if err != nil {
		return answerError(c.endpoint, err)
	}
	return nil
}

// failed counts and logs a failure. The log has what clients are not told.
func (c *Client) failed(ctx context.Context, err error, took time.Duration) error {
	e := explain(c.endpoint, err)
	c.metrics.called(e.Class, took)
	level := slog.LevelWarn
	if e.Class == classRefused || e.Class == classCancelled {
		level = slog.LevelDebug
	}
	c.log.Log(ctx, level, "no verdicts from SageMaker", "endpoint", c.endpoint, "class", e.Class, "took", took, "err", e.err)
	return e
}

// retryer tries again what may do better, each time after a longer wait with jitter.
func (c *Client) retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = c.cfg.Attempts
		o.MaxBackoff = c.cfg.MaxBackoff
		o.Backoff = retry.NewExponentialJitterBackoff(c.cfg.MaxBackoff)
		o.Retryables = append(o.Retryables,
			retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{429: {}, 503: {}}},
			retry.RetryableErrorCode{Codes: map[string]struct{}{notReady: {}}},
			retry.IsErrorRetryableFunc(containerBusy))
	})
}

const notReady = "ModelNotReadyException"

func throttling(code string) bool {
	_, known := retry.DefaultThrottleErrorCodes[code]
	return known || code == notReady
}

func containerBusy(err error) aws.Ternary {
	var model *types.ModelError
	if errors.As(err, &model) && model.OriginalStatusCode != nil && busy(int(*model.OriginalStatusCode)) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// breakerSettings stop asking an endpoint that fails, and let one call try when the pause is over.
func (c *Client) breakerSettings() gobreaker.Settings {
	return gobreaker.Settings{
		Name: c.endpoint, MaxRequests: 1, Timeout: c.cfg.Pause,
		ReadyToTrip: func(n gobreaker.Counts) bool { return int(n.ConsecutiveFailures) >= c.cfg.Failures },
		IsSuccessful: func(err error) bool {
			var e *Error
			return err == nil || errors.As(err, &e) && e.Refused()
		},
		IsExcluded: func(err error) bool {
			var e *Error
			return errors.As(err, &e) && e.Class == classCancelled
		},
		OnStateChange: func(_ string, from, to gobreaker.State) {
			c.metrics.state(to)
			c.log.Warn("circuit breaker of SageMaker", "endpoint", c.endpoint, "from", from.String(), "to", to.String())
		},
	}
}
