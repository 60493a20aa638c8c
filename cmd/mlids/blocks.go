package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mlids/mitigate"
)

// adminFlags say which server is asked, and by whom.
type adminFlags struct{ url, key string }

func (a *app) blocks() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "blocks",
		Short: "List, add and lift the blocks of a running mlids sdn or mlids serve --mitigate",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var f adminFlags
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.url, "admin", "http://"+defaultAdmin, "the server's admin door")
	flags.StringVar(&f.key, "key", "", "key of the role admin (viewer is enough to list), when the doors are locked")
	hide(flags, "key")
	cmd.AddCommand(a.blocksList(&f), a.blocksAdd(&f), a.blocksLift(&f))
	return cmd
}

func (a *app) blocksList(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List what is blocked, the oldest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			blocks := []mitigate.Shown{}
			if err := f.call(cmd.Context(), http.MethodGet, "/api/blocks", nil, &blocks); err != nil {
				return err
			}
			if a.json() {
				return a.printJSON(blocks)
			}
			return table(a.out, func(row func(...any)) {
				row("ID", "KIND", "WHAT", "UNTIL", "STRIKE", "BY", "STATE", "REASON")
				for _, b := range blocks {
					row(b.ID, b.Kind, b.Match.Match(), b.Until.Local().Format(time.DateTime), b.Strike, b.By, stateOf(&b), b.Reason)
				}
			})
		},
	}
}

// stateOf is how far a block is.
func stateOf(b *mitigate.Shown) string {
	switch {
	case b.DryRun:
		return "dry run"
	case b.Confirmed:
		return "in force"
	}
	return "not in the network yet"
}

func (a *app) blocksAdd(f *adminFlags) *cobra.Command {
	var match mitigate.MatchText
	var dst, reason, kind string
	var rate, toPort uint32
	var lasts time.Duration
	cmd := &cobra.Command{
		Use:   "add [SOURCE]",
		Short: "Block a source address or prefix, or what the flags say",
		Example: `  mlids blocks add 203.0.113.7 --reason "seen in the mail log"
  mlids blocks add --dst 10.0.0.2 --protocol 6 --port 80 --kind limit --rate 50 --for 1h`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if len(args) == 1 {
				if match.Src, err = prefixOf(args[0]); err != nil {
					return badInput(err)
				}
			}
			if dst != "" {
				if match.Dst, err = prefixOf(dst); err != nil {
					return badInput(fmt.Errorf("--dst: %w", err))
				}
			}
			wish := mitigate.Shown{Kind: mitigate.Kind(kind), Rate: rate, ToPort: toPort, Match: &match, Reason: reason}
			if lasts > 0 {
				until := time.Now().Add(lasts).UTC()
				wish.Until = &until
			}
			return a.addBlock(cmd.Context(), f, &wish)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dst, "dst", "", "destination, an address or prefix")
	flags.Uint8Var(&match.Proto, "protocol", 0, "IP protocol number: 1 ICMP, 6 TCP, 17 UDP")
	flags.Uint16Var(&match.SrcPort, "source-port", 0, "port of the source")
	flags.Uint16Var(&match.DstPort, "port", 0, "port of the destination")
	flags.Uint64Var(&match.Switch, "switch", 0, "datapath id of the switch where the packets enter")
	flags.Uint32Var(&match.Port, "switch-port", 0, "its port")
	flags.StringVar(&kind, "kind", string(mitigate.Drop), "drop, limit or redirect")
	flags.Uint32Var(&rate, "rate", 0, "packets per second that a limit lets pass")
	flags.Uint32Var(&toPort, "to-port", 0, "port of the switch that a redirect sends to")
	flags.DurationVar(&lasts, "for", 0, "how long (default: as the server's policy says)")
	flags.StringVar(&reason, "reason", "", "for the audit log")
	return cmd
}

func (a *app) addBlock(ctx context.Context, f *adminFlags, wish *mitigate.Shown) error {
	// What is wished for has fewer fields than what is shown.
	body := struct {
		Kind   mitigate.Kind       `json:"kind"`
		Match  *mitigate.MatchText `json:"match"`
		Rate   uint32              `json:"rate,omitempty"`
		ToPort uint32              `json:"to_port,omitempty"`
		Until  *time.Time          `json:"until,omitempty"`
		Reason string              `json:"reason,omitempty"`
	}{wish.Kind, wish.Match, wish.Rate, wish.ToPort, wish.Until, wish.Reason}
	var made mitigate.Shown
	if err := f.call(ctx, http.MethodPost, "/api/blocks", body, &made); err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(made)
	}
	fmt.Fprintf(a.out, "%s  %s %v until %s: %s\n", made.ID, made.Kind, made.Match.Match(), made.Until.Local().Format(time.DateTime), stateOf(&made))
	return nil
}

func (a *app) blocksLift(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "lift ID...",
		Short: "Take blocks back",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, id := range args {
				if err := f.call(cmd.Context(), http.MethodDelete, "/api/blocks/"+url.PathEscape(id), nil, nil); err != nil {
					return fmt.Errorf("%s: %w", id, err)
				}
				fmt.Fprintf(a.err, "lifted %s\n", id)
			}
			return nil
		},
	}
}

func prefixOf(text string) (*netip.Prefix, error) {
	p, err := parsePrefix(text)
	return &p, err
}

// call asks the admin door. What it refuses is bad input; what it fails at is not.
func (f *adminFlags) call(ctx context.Context, method, path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(f.url, "/")+path, bytes.NewReader(text))
	if err != nil {
		return badInput(fmt.Errorf("--admin %q: %w", f.url, err))
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if f.key != "" {
		req.Header.Set("Authorization", "Bearer "+f.key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask the admin door (does mlids sdn or serve --mitigate run there? --admin names another): %w", err)
	}
	defer res.Body.Close()
	text, err = io.ReadAll(io.LimitReader(res.Body, 64<<20))
	switch {
	case err != nil:
		return fmt.Errorf("ask the admin door: %w", err)
	case res.StatusCode >= http.StatusBadRequest:
		var problem struct {
			Error string `json:"error"`
		}
		_ = json.Unmarshal(text, &problem) // what is no JSON is shown as it is
		if problem.Error == "" {
			problem.Error = strings.TrimSpace(string(text))
		}
		if err = fmt.Errorf("%s: %s", res.Status, problem.Error); res.StatusCode >= http.StatusInternalServerError {
			return err
		}
		return badInput(err)
	case answer == nil:
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("the admin door's answer: %w", err)
	}
	return nil
}
