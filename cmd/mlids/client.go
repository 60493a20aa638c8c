package main

import (
	"github.com/spf13/cobra"
)

func (a *app) client() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "client predict|watch",
		Short: "Send flows to a server, follow the attacks that it found",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.clientPredict(), a.clientWatch())
	return cmd
}
