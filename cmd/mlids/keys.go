package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"mlids/api/door"
	"mlids/internal/audit"
)

// lockWait is how long a change waits for that of another process.
const lockWait = 10 * time.Second

func (a *app) keys() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Make, list and revoke the keys that mlids serve lets in",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var file string
	cmd.PersistentFlags().StringVar(&file, "key-file", "", "file of the keys (default: keys.json in the data directory)")
	open := func() *door.KeyFile {
		if file == "" {
			return door.OpenKeyFile(a.keyFile())
		}
		return door.OpenKeyFile(file)
	}
	cmd.AddCommand(a.keysAdd(open), a.keysList(open), a.keysRevoke(open))
	return cmd
}

func (a *app) keysAdd(open func() *door.KeyFile) *cobra.Command {
	var role string
	var expires time.Duration
	var k door.Key
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Make a key and print it, once; a running server takes it within a second",
		Example: `  mlids keys add dashboard --role viewer
  mlids keys add sensor-7 --role analyst --expires 2160h --rows-per-second 50000`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			k.Name = args[0]
			if k.Role, err = door.ParseRole(role); err != nil {
				return badInput(err)
			}
			if cmd.Flags().Changed("expires") {
				at := time.Now().Add(expires).UTC().Truncate(time.Second)
				k.Expires = &at
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), lockWait)
			defer cancel()
			made, token, err := open().Add(ctx, k)
			if err != nil {
				return badInput(err)
			}
			a.auditKey("key added", made)
			return a.printNewKey(made, token)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&role, "role", door.Analyst.String(), "viewer (reads), analyst (has rows classified) or admin (changes)")
	flags.DurationVar(&expires, "expires", 0, "time from now until the key ends (default: never)")
	flags.Float64Var(&k.Requests, "requests-per-second", 0, "requests that the key may send (default: no limit)")
	flags.Float64Var(&k.Rows, "rows-per-second", 0, "rows that the key may have classified (default: no limit)")
	return cmd
}

func (a *app) printNewKey(k door.Key, token string) error {
	if a.json() {
		row := k.Show(time.Now())
		row.Key = token
		return a.printJSON(row)
	}
	fmt.Fprintln(a.out, token)
	fmt.Fprintf(a.err, "made the key %s (%s, %s); it is not shown again. Send it as Authorization: Bearer KEY\n", k.ID, k.Name, k.Role)
	return nil
}

func (a *app) keysList(open func() *door.KeyFile) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the keys, those revoked or expired in the last 90 days included",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			keys, err := open().List()
			if err != nil {
				return badInput(err)
			}
			rows := []door.Shown{}
			for _, k := range keys {
				rows = append(rows, k.Show(time.Now()))
			}
			if a.json() {
				return a.printJSON(rows)
			}
			return table(a.out, func(row func(...any)) {
				row("ID", "NAME", "ROLE", "STATE", "CREATED", "EXPIRES", "REQUESTS/S", "ROWS/S")
				for _, k := range rows {
					row(k.ID, k.Name, k.Role, k.State, k.Created.Format(time.DateOnly), orNever(k.Expires), orAny(k.Requests), orAny(k.Rows))
				}
			})
		},
	}
}

func orNever(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Format(time.DateTime)
}

func orAny(rate float64) string {
	if rate == 0 {
		return "any"
	}
	return fmt.Sprintf("%g", rate)
}

func (a *app) keysRevoke(open func() *door.KeyFile) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME|ID",
		Short: "End a key; a running server refuses it within a second",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), lockWait)
			defer cancel()
			k, err := open().Revoke(ctx, args[0])
			if err != nil {
				return badInput(err)
			}
			a.auditKey("key revoked", k)
			if a.json() {
				return a.printJSON(k.Show(time.Now()))
			}
			fmt.Fprintf(a.err, "revoked the key %s (%s, %s)\n", k.ID, k.Name, k.Role)
			return nil
		},
	}
}

// auditKey notes a change of the keys. The change is made by then; a log that cannot be written does not undo it.
func (a *app) auditKey(event string, k door.Key) {
	log, err := audit.Open(a.auditFile())
	if err == nil {
		err = log.Record(audit.Event{
			Event: event, By: fmt.Sprintf("uid %d", os.Getuid()), How: "command line", Subject: fmt.Sprintf("%s (%s, %s)", k.ID, k.Name, k.Role),
		})
		err = errors.Join(err, log.Close())
	}
	if err != nil {
		a.log.Warn("the audit log was not written", "err", err)
	}
}
