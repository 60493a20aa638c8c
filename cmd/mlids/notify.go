package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"mlids/notify/stream"
)

// queueVerbs are the verbs that look into the queue.
func (a *app) queueVerbs() *cobra.Command {
	var cfg stream.Config
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "Look after ways out: their positions in the queue, and their dead letters",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&cfg.URL, "nats-url", "", "external NATS server or cluster that has the queue, in place of the data directory's")
	hide(flags, "nats-url")
	cmd.AddCommand(a.wayVerb(&cfg), a.forgetVerb(&cfg), a.deadVerbs(&cfg))
	return cmd
}

// queueDir is where the built-in queue is.
func (a *app) queueDir() string { return filepath.Join(a.dataDir, "stream") }

// queue opens the queue, or joins the process that has it open, for the time of a call.
func (a *app) queue(ctx context.Context, cfg *stream.Config, use func(*stream.Stream) error) error {
	own := *cfg
	own.Join = true
	if own.URL == "" {
		own.Dir = a.queueDir()
	}
	s, err := stream.Open(ctx, own, stream.Deps{Log: a.log, Register: prometheus.NewRegistry()})
	if err != nil {
		return queueError(err)
	}
	return errors.Join(use(s), s.Close())
}

func (a *app) wayVerb(cfg *stream.Config) *cobra.Command {
	return &cobra.Command{
		Use: "ways", Short: "List the ways out that have a position in the queue, and how many messages wait for each", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.queue(cmd.Context(), cfg, func(s *stream.Stream) error {
				ways, err := s.Ways(cmd.Context())
				if err != nil {
					return err
				}
				if a.json() {
					return a.printJSON(ways)
				}
				return table(a.out, func(row func(...any)) {
					row("way out", "waiting", "dead", "subjects")
					for _, w := range ways {
						row(w.Name, w.Lag, w.Dead, fmt.Sprint(w.Subjects))
					}
				})
			})
		},
	}
}

func (a *app) forgetVerb(cfg *stream.Config) *cobra.Command {
	return &cobra.Command{
		Use: "forget NAME", Short: "Give up the position of a way out that is no longer used; what waits for it is not sent", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.queue(cmd.Context(), cfg, func(s *stream.Stream) error { return s.Forget(cmd.Context(), args[0]) })
		},
	}
}

func (a *app) deadVerbs(cfg *stream.Config) *cobra.Command {
	cmd := &cobra.Command{
		Use: "dead", Short: "Dead letters: messages that a way out did not take", Args: cobra.NoArgs,
		Example: `  mlids notify dead list
  mlids notify dead show 17
  mlids notify dead replay --way aws
  mlids notify dead drop 17 18`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.deadVerb(cfg, "list", "List dead letters: all, or those named", false, a.printDead),
		a.deadVerb(cfg, "show", "Print dead letters with their rows", true, a.showDead),
		a.deadVerb(cfg, "replay", "Send dead letters to their ways out again", true, func(ctx context.Context, s *stream.Stream, l []*stream.DeadLetter) error {
			return a.eachDead(l, "replayed", func(d *stream.DeadLetter) error { return s.Replay(ctx, d) })
		}),
		a.deadVerb(cfg, "drop", "Forget dead letters", true, func(ctx context.Context, s *stream.Stream, l []*stream.DeadLetter) error {
			return a.eachDead(l, "dropped", func(d *stream.DeadLetter) error { return s.Drop(ctx, d.Seq) })
		}),
	)
	return cmd
}

// deadVerb is a verb that does something with the dead letters chosen by number, way out, or --all.
func (a *app) deadVerb(cfg *stream.Config, name, short string, choose bool, do func(context.Context, *stream.Stream, []*stream.DeadLetter) error) *cobra.Command {
	var way string
	var all bool
	cmd := &cobra.Command{
		Use: name + " [NUMBER …]", Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			if choose && len(args) == 0 && way == "" && !all {
				return badInput(errors.New("name dead letters by number, or a way out by --way, or --all"))
			}
			wanted, err := numbers(args)
			if err != nil {
				return badInput(err)
			}
			return a.queue(cmd.Context(), cfg, func(s *stream.Stream) error {
				letters, err := chosen(cmd.Context(), s, way, wanted)
				if err != nil {
					return err
				}
				return do(cmd.Context(), s, letters)
			})
		},
	}
	cmd.Flags().StringVar(&way, "way", "", "only those of this way out")
	if choose {
		cmd.Flags().BoolVar(&all, "all", false, "all of them")
	}
	return cmd
}

func numbers(args []string) (map[uint64]bool, error) {
	list := map[uint64]bool{}
	for _, text := range args {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q: want the number of a dead letter, as list prints it", text)
		}
		list[n] = true
	}
	return list, nil
}

// chosen finds the dead letters with the numbers wanted; all when none is.
func chosen(ctx context.Context, s *stream.Stream, way string, wanted map[uint64]bool) ([]*stream.DeadLetter, error) {
	letters, every := []*stream.DeadLetter{}, len(wanted) == 0
	for letter, err := range s.Dead(ctx, way) {
		if err != nil {
			return nil, err
		}
		if every || wanted[letter.Seq] {
			letters = append(letters, letter)
			delete(wanted, letter.Seq)
		}
	}
	for n := range wanted {
		return nil, badInput(fmt.Errorf("there is no dead letter %d", n))
	}
	return letters, nil
}

// deadRow is a dead letter as JSON.
type deadRow struct {
	Number uint64          `json:"number"`
	Way    string          `json:"way"`
	Since  time.Time       `json:"since"`
	Tries  uint64          `json:"tries"`
	Cause  string          `json:"cause"`
	ID     string          `json:"id"`
	Class  string          `json:"class"`
	Row    json.RawMessage `json:"row,omitempty"`
}

func (a *app) printDead(_ context.Context, _ *stream.Stream, letters []*stream.DeadLetter) error {
	if a.json() {
		rows := make([]deadRow, 0, len(letters))
		for _, l := range letters {
			rows = append(rows, deadOf(l, false))
		}
		return a.printJSON(rows)
	}
	return table(a.out, func(row func(...any)) {
		row("number", "way out", "since", "tries", "class", "cause")
		for _, l := range letters {
			row(l.Seq, l.Way, l.Since.UTC().Format(time.RFC3339), l.Tries, l.Message.Alert.Verdict.Class, l.Cause)
		}
	})
}

func (a *app) showDead(_ context.Context, _ *stream.Stream, letters []*stream.DeadLetter) error {
	for _, l := range letters {
		if err := a.printJSON(deadOf(l, true)); err != nil {
			return err
		}
	}
	return nil
}

func deadOf(l *stream.DeadLetter, whole bool) deadRow {
	row := deadRow{Number: l.Seq, Way: l.Way, Since: l.Since.UTC(), Tries: l.Tries, Cause: l.Cause, ID: l.Message.Alert.ID, Class: l.Message.Alert.Verdict.Class}
	if whole {
		row.Row = l.Message.Body
	}
	return row
}

// eachDead does something with each letter and tells how many there were.
func (a *app) eachDead(letters []*stream.DeadLetter, done string, do func(*stream.DeadLetter) error) error {
	for i, l := range letters {
		if err := do(l); err != nil {
			return fmt.Errorf("%d %s: %w", i, done, err)
		}
	}
	fmt.Fprintf(a.err, "%s: %d\n", done, len(letters))
	return nil
}
