package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"mlids/api"
	"mlids/api/door"
)

// defaultAdmin is where the admin door is unless told otherwise.
const defaultAdmin = "127.0.0.1:5001"

// lockFlags say who may come in, and by which door.
type lockFlags struct {
	admin    string
	given    bool // admin was asked for, not just the default
	insecure bool
	door     door.Config
}

func (l *lockFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&l.admin, "admin-listen", defaultAdmin, `address of the admin door; "" for none`)
	flags.BoolVar(&l.insecure, "insecure", false, "listen beyond the loopback although no key is set: something else keeps strangers out")
	flags.StringVar(&l.door.KeyFile, "key-file", "", "file of the keys that are let in (default: keys.json in the data directory)")
}

// apply makes the guard and opens the admin door.
func (l *lockFlags) apply(ctx context.Context, a *app, cfg *api.Config, deps *api.Deps) (err error) {
	if l.door.KeyFile == "" {
		l.door.KeyFile = a.keyFile()
	}
	if deps.Guard, err = door.New(l.door, a.log); err != nil {
		return badInput(err)
	}
	cfg.Insecure = l.insecure
	cfg.AdminListen = l.admin
	if l.admin == "" || l.given {
		return nil
	}
	// Nobody asked for this address: a second server on the machine does without an admin door.
	cfg.AdminListener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", l.admin)
	if errors.Is(err, unix.EADDRINUSE) {
		cfg.AdminListen = ""
		a.log.LogAttrs(ctx, slog.LevelWarn, "no admin door: its address is taken; --admin-listen names another", slog.String("addr", l.admin))
		return nil
	}
	return err
}

func (a *app) keyFile() string { return filepath.Join(a.dataDir, "keys.json") }
