package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"mlids/api"
	"mlids/api/door"
	"mlids/internal/audit"
)

// defaultAdmin is where the admin door is unless told otherwise.
const defaultAdmin = "127.0.0.1:5001"

// lockFlags say who may come in, and by which door.
type lockFlags struct {
	admin          string
	given          bool // admin was asked for, not just the default
	insecure       bool
	makeKey        bool
	maxConnections int
	hosts          []string
	door           door.Config
	tls            door.TLSFiles
	subjects       []string // SUBJECT=ROLE
	tokenRoles     []string // VALUE=ROLE

	https *door.TLS
}

func (l *lockFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&l.admin, "admin-listen", defaultAdmin, `address of the admin door; "" for none`)
	flags.BoolVar(&l.insecure, "insecure", false, "listen beyond the loopback although no key is set: something else keeps strangers out")
	flags.IntVar(&l.maxConnections, "max-connections", 1024, "connections of the front door at a time; a newcomer takes the place of an idle one")
	flags.StringArrayVar(&l.hosts, "host", nil, "name besides localhost by which a door without keys may be called (repeat for several)")
	flags.StringVar(&l.door.KeyFile, "key-file", "", "file of the keys that are let in (default: keys.json in the data directory)")
	flags.StringArrayVar(&l.door.Keys, "key", nil, "a key that is let in, [ROLE=]KEY or [ROLE=]@FILE (role: analyst; repeat for several)")
	hide(flags, "key")
	flags.BoolVar(&l.makeKey, "first-key", false, "when there is no key, make one and print it on stderr, once")
	flags.StringVar(&l.tls.Cert, "tls-cert", "", "certificate chain (PEM); with --tls-key, both doors speak TLS 1.3")
	flags.StringVar(&l.tls.Key, "tls-key", "", "private key of --tls-cert (PEM)")
	flags.StringVar(&l.tls.ClientCA, "tls-client-ca", "", "certificates (PEM) of those who sign clients' certificates")
	flags.StringArrayVar(&l.subjects, "tls-client", nil, "common name of a client's certificate and its role, NAME=ROLE (repeat for several)")
	l.registerTokens(flags)
}

func (l *lockFlags) registerTokens(flags *pflag.FlagSet) {
	t := &l.door.Tokens
	flags.StringVar(&t.JWKS, "jwt-keys", "", "URL or file of a token issuer's public keys (JWKS); its JSON Web Tokens are let in")
	flags.StringVar(&t.Issuer, "jwt-issuer", "", "issuer (iss) that tokens must name")
	flags.StringVar(&t.Audience, "jwt-audience", "", "audience (aud) that tokens must name")
	flags.StringSliceVar(&t.Algorithms, "jwt-algorithms", []string{"RS256", "ES256"}, "signatures that are accepted")
	flags.DurationVar(&t.Leeway, "jwt-leeway", 30*time.Second, "how far clocks may differ")
	flags.StringVar(&t.RoleClaim, "jwt-role-claim", "roles", "claim that gives roles; a dot goes into objects")
	flags.StringArrayVar(&l.tokenRoles, "jwt-role", nil, "value of the claim and its role, VALUE=ROLE (default: viewer, analyst and admin as they are)")
	flags.Float64Var(&t.Requests, "jwt-requests-per-second", 0, "requests that each subject may send (default: no limit)")
	flags.Float64Var(&t.Rows, "jwt-rows-per-second", 0, "rows that each subject may have classified (default: no limit)")
}

// apply makes guard, TLS and audit log, and opens the admin door.
func (l *lockFlags) apply(ctx context.Context, a *app, cfg *api.Config, deps *api.Deps) (err error) {
	if err := l.complete(a); err != nil {
		return badInput(err)
	}
	guard, err := door.New(l.door, a.log)
	if err == nil {
		guard, err = l.firstKey(ctx, a, guard)
	}
	if err != nil {
		return badInput(err)
	}
	deps.Guard = guard
	deps.Keys = door.OpenKeyFile(l.door.KeyFile)
	if l.tls.Cert != "" {
		if l.https, err = door.NewTLS(l.tls, a.log); err != nil {
			return badInput(err)
		}
		cfg.TLS = l.https.Config()
	}
	cfg.Insecure, cfg.Hosts, cfg.MaxConnections, cfg.AdminListen = l.insecure, l.hosts, l.maxConnections, l.admin
	if deps.Audit, err = audit.Open(a.auditFile()); err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "no audit log", slog.String("err", err.Error())) // a read-only data directory
	}
	return l.openAdmin(ctx, a, cfg)
}

// openAdmin opens the default address here: nobody asked for it, so a second server on the machine does without.
func (l *lockFlags) openAdmin(ctx context.Context, a *app, cfg *api.Config) (err error) {
	if l.admin == "" || l.given {
		return nil
	}
	cfg.AdminListener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", l.admin)
	if errors.Is(err, unix.EADDRINUSE) {
		cfg.AdminListen = ""
		a.log.LogAttrs(ctx, slog.LevelWarn, "no admin door: its address is taken; --admin-listen names another", slog.String("addr", l.admin))
		return nil
	}
	return err
}

// complete checks what flags say together.
func (l *lockFlags) complete(a *app) (err error) {
	if l.door.KeyFile == "" {
		l.door.KeyFile = a.keyFile()
	}
	switch {
	case (l.tls.Cert == "") != (l.tls.Key == ""):
		return errors.New("--tls-cert and --tls-key go together")
	case l.tls.ClientCA != "" && l.tls.Cert == "":
		return errors.New("--tls-client-ca needs --tls-cert and --tls-key")
	case (l.tls.ClientCA == "") != (len(l.subjects) == 0):
		return errors.New("--tls-client-ca and --tls-client go together: a certificate opens nothing before its name has a role")
	case l.maxConnections < 1:
		return fmt.Errorf("--max-connections %d: want 1 or more", l.maxConnections)
	}
	if l.door.Subjects, err = rolesOf("--tls-client", l.subjects); err != nil {
		return err
	}
	l.door.Tokens.Roles, err = rolesOf("--jwt-role", l.tokenRoles)
	return err
}

// rolesOf reads NAME=ROLE.
func rolesOf(flag string, pairs []string) (map[string]door.Role, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	roles := map[string]door.Role{}
	for _, pair := range pairs {
		at := strings.LastIndexByte(pair, '=') // names may hold one
		if at < 1 {
			return nil, fmt.Errorf("%s %q: want NAME=ROLE", flag, pair)
		}
		role, err := door.ParseRole(pair[at+1:])
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", flag, pair, err)
		}
		roles[pair[:at]] = role
	}
	return roles, nil
}

// run follows the files of keys and certificates until ctx ends.
func (l *lockFlags) run(ctx context.Context, deps *api.Deps) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return deps.Guard.Run(ctx) })
	if l.https != nil {
		group.Go(func() error { return l.https.Run(ctx) })
	}
	return group.Wait()
}

// scheme is how the doors are called.
func (l *lockFlags) scheme() string {
	if l.https != nil {
		return "https"
	}
	return "http"
}

func (a *app) keyFile() string   { return filepath.Join(a.dataDir, "keys.json") }
func (a *app) auditFile() string { return filepath.Join(a.dataDir, "audit.jsonl") }
