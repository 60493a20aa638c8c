package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"mlids/api"
	"mlids/model"
	"mlids/model/registry"
	"mlids/model/sagemaker"
)

// Values of --backend.
const (
	backendAuto      = "auto"
	backendLocal     = "local"
	backendSageMaker = "sagemaker"
)

// backendFlags say who classifies flows when a request names no model.
type backendFlags struct {
	backend   string
	fallback  string
	sagemaker sagemaker.Config
}

// register adds the flags; those of the SDK's and ML-IDS's environment variables take them, too.
func (b *backendFlags) register(flags *pflag.FlagSet) {
	c := &b.sagemaker
	flags.StringVar(&b.backend, "backend", backendAuto, "who classifies flows: local, sagemaker, or auto (sagemaker when an endpoint is named)")
	flags.StringVar(&b.fallback, "fallback", "", "model (name or file) that answers while the endpoint cannot (default: the request fails)")
	flags.StringVar(&c.Endpoint, "sagemaker-endpoint", "", "endpoint: its name, or /endpoints/NAME/invocations")
	flags.StringVar(&c.Host, "sagemaker-host", "", "host of the SageMaker runtime, with or without https:// (default: the region's)")
	flags.Float64Var(&c.Threshold, "sagemaker-threshold", 0.5, "attack probability from which a row is an attack, when the endpoint answers probabilities")
	flags.DurationVar(&c.Timeout, "sagemaker-timeout", 60*time.Second, "time for a table, with all tries")
	flags.DurationVar(&c.Attempt, "sagemaker-attempt", 30*time.Second, "time for one try")
	flags.IntVar(&c.Payload, "sagemaker-payload", 4_000_000, "bytes of one call at most; larger tables are split (instances take 6 MB, serverless endpoints 4 MB)")
	flags.StringVar(&c.Region, "aws-region", "", "region of the endpoint (default: found in the host, or as the AWS SDK finds it)")
	flags.StringVar(&c.AccessKey, "aws-access-key", "", "access key (default: the AWS SDK's chain: environment, files, role)")
	flags.StringVar(&c.SecretKey, "aws-secret-key", "", "secret key that goes with it")
	flags.StringVar(&c.SessionToken, "aws-session-token", "", "session token, when they are temporary")
	for name, variable := range map[string]string{ //nolint:gosec // names of variables
		"sagemaker-endpoint": "AWS_SAGEMAKER_ENDPOINT", "sagemaker-host": "AWS_SAGEMAKER_HOST", "aws-region": "AWS_REGION",
		"aws-access-key": "AWS_ACCESS_KEY", "aws-secret-key": "AWS_SECRET_KEY", "aws-session-token": "AWS_SESSION_TOKEN",
	} {
		annotate(flags, name, otherName, variable)
	}
	hide(flags, "aws-access-key", "aws-secret-key", "aws-session-token")
}

// wire gives the server its backend, if there is one, and adds the fallback to the models.
func (b *backendFlags) wire(ctx context.Context, a *app, cfg *api.Config, deps *api.Deps, models *registry.Registry) error {
	use := b.backend == backendSageMaker || b.backend == backendAuto && b.sagemaker.Endpoint != ""
	switch {
	case b.backend != backendAuto && b.backend != backendLocal && b.backend != backendSageMaker:
		return badInput(fmt.Errorf("--backend %q: want local, sagemaker or auto", b.backend))
	case !use && b.fallback != "":
		return badInput(errors.New("--fallback goes with --backend sagemaker: without it the local models answer anyway"))
	case !use:
		return nil
	case b.sagemaker.Endpoint == "":
		return badInput(errors.New("--backend sagemaker: name the endpoint by AWS_SAGEMAKER_ENDPOINT or --sagemaker-endpoint"))
	}
	settings := b.sagemaker
	if settings.AccessKey == "" {
		settings.SessionToken = "" // it belongs to keys that the SDK finds by itself
	}
	client, err := sagemaker.New(ctx, settings, sagemaker.Deps{Log: a.log, Register: deps.Register})
	if errors.Is(err, sagemaker.ErrConfig) {
		return badInput(err)
	}
	if err != nil {
		return err
	}
	deps.Backend = client
	if cfg.Fallback, err = fallbackName(models, b.fallback); err != nil {
		return err
	}
	a.log.InfoContext(ctx, "flows are classified by SageMaker", "endpoint", client.Endpoint(), "fallback", cfg.Fallback)
	return nil
}

// fallbackName is what the fallback is called in the registry; a file is added to it.
func fallbackName(models *registry.Registry, fallback string) (string, error) {
	if fallback == "" || !isFile(fallback) {
		return fallback, nil
	}
	m, err := model.Load(fallback)
	if err == nil {
		err = models.Add(registry.File, m)
	}
	if err != nil {
		return "", badInput(fmt.Errorf("--fallback %s: %w", fallback, err))
	}
	return m.Info().Name, nil
}
