package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit codes.
const (
	exitDone    = 0
	exitFailed  = 1
	exitInput   = 2 // wrong usage or bad input
	exitAttacks = 3 // detect found attacks
)

// exitError carries an exit code with the error that led to it.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// badInput marks an error as the caller's: exit code 2.
func badInput(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitInput, err}
}

// errAttacks ends detect when it found attacks; it is a result, not a failure, and is not printed.
var errAttacks = &exitError{exitAttacks, errors.New("attacks found")}

// streams are the standard streams of the process, or those of a test.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// app is what the verbs share: streams, logger and the flags that all of them take.
type app struct {
	streams
	log     *slog.Logger
	format  string // human, json, and what a verb adds
	level   slog.Level
	dataDir string
	config  string
	profile string
	stop    func() error        // ends the profile
	sinks   map[string]makeSink // ways out by the scheme of their URLs
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	a := &app{streams: s, stop: func() error { return nil }, sinks: allSinks()}
	root := a.command()
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	err = errors.Join(err, a.stop())
	if err == nil {
		return exitDone
	}
	var exit *exitError
	switch {
	case errors.Is(err, errAttacks):
		return exitAttacks
	case errors.As(err, &exit):
	case ctx.Err() != nil:
		exit = &exitError{exitFailed, errors.New("interrupted")}
	default:
		exit = &exitError{exitFailed, err}
	}
	fmt.Fprintln(s.err, "mlids:", exit)
	return exit.code
}

// command builds the tree of verbs.
func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:           "mlids",
		Short:         "Network intrusion detection with models that it trains itself",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return badInput(a.prepare(cmd))
		},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return badInput(fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath()))
	})
	flags := root.PersistentFlags()
	flags.StringVarP(&a.format, "output", "o", "human", "how results are printed: human or json")
	flags.Var((*levelFlag)(&a.level), "log-level", "what is logged on stderr: debug, info, warn or error")
	flags.StringVar(&a.dataDir, "data-dir", defaultDataDir(), "where models and state are kept")
	flags.StringVar(&a.profile, "cpu-profile", "", "file to write with where the time goes, for go tool pprof")
	flags.StringVar(&a.config, "config", "", "configuration file (YAML): a section per verb, keys as the flags")
	root.AddCommand(
		a.serve(), a.detect(), a.flows(), a.predict(), a.train(), a.evaluate(), a.inspect(), a.data(), a.models(), a.queueVerbs(), a.keys(), a.check(), a.version(),
		a.man(),
	)
	root.AddCommand(a.sdn(), a.client(), a.blocks())
	wrapUsageErrors(root)
	return root
}

// wrapUsageErrors gives wrong arguments the exit code of wrong usage.
func wrapUsageErrors(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(c *cobra.Command, args []string) error { return badInput(check(c, args)) }
	}
	for _, sub := range cmd.Commands() {
		wrapUsageErrors(sub)
	}
}

// prepare settles the configuration and the logger before a verb runs.
func (a *app) prepare(cmd *cobra.Command) error {
	if err := configure(cmd, a.config, os.LookupEnv); err != nil {
		return err
	}
	if !strings.Contains(" "+formats(cmd)+" ", " "+a.format+" ") {
		return fmt.Errorf("--output %q: known for this verb are %s", a.format, formats(cmd))
	}
	if a.profile != "" {
		stop, err := startProfile(a.profile)
		if err != nil {
			return err
		}
		a.stop = stop
	}
	a.log = slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: a.level}))
	return nil
}

// formats lists what --output may be for a verb; verbs that print more than human and json say so in an annotation.
func formats(cmd *cobra.Command) string {
	if f, ok := cmd.Annotations["output"]; ok {
		return f
	}
	return "human json"
}

func (a *app) json() bool { return a.format == "json" }

func defaultDataDir() string {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "mlids")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "mlids-data"
	}
	return filepath.Join(home, ".local", "state", "mlids")
}

// levelFlag makes slog.Level a flag.
type levelFlag slog.Level

var _ pflag.Value = (*levelFlag)(nil)

func (l *levelFlag) String() string     { return strings.ToLower(slog.Level(*l).String()) }
func (l *levelFlag) Set(s string) error { return (*slog.Level)(l).UnmarshalText([]byte(s)) }
func (l *levelFlag) Type() string       { return "level" }
