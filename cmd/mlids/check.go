package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (a *app) check() *cobra.Command {
	var health string
	cmd := &cobra.Command{
		Use:   "check [VERB]",
		Short: "Print the configuration that a verb would run with, or ask a running server for its health",
		Example: `  mlids check serve --config mlids.yaml
  mlids check --health http://127.0.0.1:5000`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if health != "" {
				return a.checkHealth(cmd.Context(), health)
			}
			verb := "serve"
			if len(args) > 0 {
				verb = args[0]
			}
			return a.checkConfig(cmd, verb)
		},
	}
	cmd.Flags().StringVar(&health, "health", "", "URL of a server; exit code 0 when it is ready")
	return cmd
}

// setting is one flag with the value it would have.
type setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Set   bool   `json:"set"` // by flag, environment or file; else the default
}

func (a *app) checkConfig(cmd *cobra.Command, verb string) error {
	target, _, err := cmd.Root().Find([]string{verb})
	if err != nil || target == cmd.Root() {
		return badInput(fmt.Errorf("no verb %q", verb))
	}
	target.InheritedFlags() // merges the flags of all verbs into the verb's own
	if err := configure(target, a.config, os.LookupEnv); err != nil {
		return badInput(err)
	}
	settings := []setting{}
	target.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		value := f.Value.String()
		if _, hide := f.Annotations[secret]; hide && value != "" || holdsAddress(value) {
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

func (a *app) checkHealth(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return badInput(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var body json.RawMessage
	if err := json.NewDecoder(http.MaxBytesReader(nil, res.Body, 1<<16)).Decode(&body); err != nil {
		return fmt.Errorf("%s answered %s without JSON: %w", url, res.Status, err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s: %s", url, res.Status, body)
	}
	fmt.Fprintf(a.out, "%s\n", body)
	return nil
}
