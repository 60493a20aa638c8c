package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mlids/mitigate/openflow"
	"mlids/mitigate/openflow/ofp"
)

// controllerFlags say how switches reach the controller and how it forwards.
type controllerFlags struct {
	cfg           openflow.Config
	cert, key, ca string
	role          string
	metrics       string
}

func (f *controllerFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.cfg.Listen, "listen", "127.0.0.1:6653", "address where switches connect")
	flags.StringVar(&f.cert, "tls-cert", "", "certificate of the controller (PEM); switches then connect by TLS only")
	flags.StringVar(&f.key, "tls-key", "", "key of the certificate (PEM)")
	flags.StringVar(&f.ca, "tls-ca", "", "certificates that sign those of switches (PEM); a switch without one is refused")
	flags.StringVar(&f.role, "role", "equal", "what the controller is for its switches: equal, master or slave")
	flags.StringVar(&f.metrics, "metrics-listen", "", "address that serves /metrics (default: none)")
	flags.DurationVar(&f.cfg.Idle, "idle", 15*time.Second, "time without a packet that ends a flow, in whole seconds")
	flags.IntVar(&f.cfg.NewFlows, "new-flows", 200, "exact flows per second that a port may cause before coarser ones take over")
	flags.IntVar(&f.cfg.MaxFlows, "max-flows", 20_000, "exact flows on a switch at most")
	flags.Uint32Var(&f.cfg.MissRate, "miss-rate", 1000, "packets per second of a port that may ask the controller for a way")
	flags.Uint32Var(&f.cfg.CopyRate, "copy-rate", 1000, "packets per second of a port that are copied for detection from installed flows")
	flags.DurationVar(&f.cfg.Probe, "probe", 2*time.Second, "how often links are probed; three probes lost end a link")
}

// config is what the flags ask for.
func (f *controllerFlags) config() (openflow.Config, error) {
	roles := map[string]ofp.Role{"equal": ofp.RoleEqual, "master": ofp.RoleMaster, "slave": ofp.RoleSlave}
	var ok bool
	if f.cfg.Role, ok = roles[f.role]; !ok {
		return f.cfg, fmt.Errorf("--role %q: want equal, master or slave", f.role)
	}
	var err error
	f.cfg.TLS, err = f.tls()
	return f.cfg, err
}

// tls is nil without a certificate.
func (f *controllerFlags) tls() (*tls.Config, error) {
	if f.cert == "" && f.key == "" && f.ca == "" {
		return nil, nil
	}
	if f.cert == "" || f.key == "" || f.ca == "" {
		return nil, errors.New("--tls-cert, --tls-key and --tls-ca belong together: without the last any host could play a switch")
	}
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert, --tls-key: %w", err)
	}
	text, err := os.ReadFile(f.ca)
	if err != nil {
		return nil, fmt.Errorf("--tls-ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--tls-ca %s: holds no certificate", f.ca)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}, nil
}

func (a *app) sdn() *cobra.Command {
	var f controllerFlags
	var d sdnDefence
	cmd := &cobra.Command{
		Use:   "sdn",
		Short: "Control OpenFlow 1.3 switches: forward, watch, block",
		Example: `  mlids sdn
  ovs-vsctl set-controller br0 tcp:127.0.0.1:6653 -- set bridge br0 protocols=OpenFlow13 fail_mode=secure`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runSDN(cmd.Context(), &f, &d)
		},
	}
	f.register(cmd.Flags())
	d.register(cmd.Flags())
	return cmd
}

func (a *app) runSDN(ctx context.Context, f *controllerFlags, d *sdnDefence) error {
	cfg, err := f.config()
	if err != nil {
		return badInput(err)
	}
	metrics, err := newRegistry()
	if err != nil {
		return err
	}
	controller, err := openflow.New(cfg, openflow.Deps{Log: a.log, Register: metrics})
	if err != nil {
		return badInput(err)
	}
	parts := newStages(ctx)
	out, err := d.run(ctx, a, parts, controller, metrics)
	if err != nil {
		return badInput(errors.Join(err, out.close()))
	}
	parts.produce(controller.Run)
	if f.metrics != "" {
		parts.produce(func(ctx context.Context) error { return a.serveMetrics(ctx, f.metrics, metrics) })
	}
	parts.produce(func(ctx context.Context) error {
		select {
		case <-controller.Listening():
			fmt.Fprintf(a.err, "mlids controls switches on %s\n", controller.Addr())
		case <-ctx.Done():
		}
		return nil
	})
	return parts.wait()
}

// serveMetrics serves /metrics until ctx ends.
func (a *app) serveMetrics(ctx context.Context, listen string, gather prometheus.Gatherer) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("--metrics-listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(gather, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}
