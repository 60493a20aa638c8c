package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (a *app) check() *cobra.Command {
	var health, ca string
	cmd := &cobra.Command{
		Use:   "check [VERB | --health [URL]]",
		Short: "Print the configuration that a verb would run with, or ask a running server for its health",
		Example: `  mlids check serve --config mlids.yaml
  mlids check --health                          # the server that this configuration starts
  mlids check --health http://127.0.0.1:5000`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if health != "" {
				return a.checkHealth(cmd, append(args, health)[0], ca)
			}
			verb := "serve"
			if len(args) > 0 {
				verb = args[0]
			}
			return a.checkConfig(cmd, verb)
		},
	}
	cmd.Flags().StringVar(&health, "health", "", "ask the server at `URL`, or the one that serve's configuration starts; exit code 0 when it is ready")
	cmd.Flags().StringVar(&ca, "ca", "", "certificates (PEM) that the server's may be signed by, besides the system's")
	cmd.Flags().Lookup("health").NoOptDefVal = configured
	return cmd
}

// setting is one flag with the value it would have.
type setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Set   bool   `json:"set"` // by flag, environment or file; else the default
}

// configured is a verb with its flags set as environment and file have them.
func (a *app) configured(cmd *cobra.Command, verb string) (*cobra.Command, error) {
	target, _, err := cmd.Root().Find(strings.Fields(verb))
	if err != nil || target == cmd.Root() {
		return nil, fmt.Errorf("no verb %q", verb)
	}
	target.InheritedFlags() // merges the flags of all verbs into the verb's own
	return target, configure(target, a.config, os.LookupEnv)
}

func (a *app) checkConfig(cmd *cobra.Command, verb string) error {
	target, err := a.configured(cmd, verb)
	if err != nil {
		return badInput(err)
	}
	settings := []setting{}
	target.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		value := f.Value.String()
		if _, hide := f.Annotations[secret]; hide && value != f.DefValue || holdsAddress(value) {
			value = "(hidden)"
		}
		settings = append(settings, setting{f.Name, value, f.Changed})
	})
	if a.json() {
		return a.printJSON(settings)
	}
	return table(a.out, func(row func(...any)) {
		for _, s := range settings {
			mark := ""
			if s.Set {
				mark = "set"
			}
			row(s.Name, s.Value, mark)
		}
	})
}
