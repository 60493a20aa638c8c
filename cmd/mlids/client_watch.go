package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mlids/alert"
	"mlids/client"
	"mlids/notify"
	"mlids/notify/pubsub"
	"mlids/notify/sqs"
)

func (a *app) clientWatch() *cobra.Command {
	var queue string
	var remove bool
	var most int
	cmd := &cobra.Command{
		Use:   "watch --queue nats://…|sqs://…|pubsub://…",
		Short: "Follow the attacks in a queue: each with its flow and the reason",
		Example: `  mlids client watch --queue nats://127.0.0.1:4222
  mlids client watch --queue sqs://sqs.eu-west-1.amazonaws.com/123456789012/attacks -o eve
  mlids client watch --queue 'nats://127.0.0.1:4222?name=desk' --max 10`,
		Args:        cobra.NoArgs,
		Annotations: map[string]string{"output": "human json eve"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, err := a.openQueue(queue)
			if err != nil {
				return badInput(err)
			}
			defer q.Close()
			w := &watcher{app: a, out: bufio.NewWriter(a.out), most: most}
			return client.Follow{Keep: !remove, Log: a.log}.Run(cmd.Context(), q, w.print)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&queue, "queue", "", "where attacks wait: nats://HOST:PORT of mlids serve --queue-listen, sqs://HOST/ACCOUNT/NAME or pubsub://PROJECT/SUBSCRIPTION")
	flags.BoolVar(&remove, "delete", true, "take messages off the queue when they are printed; --delete=false leaves them there")
	flags.IntVar(&most, "max", 0, "end after so many (default: go on until interrupted)")
	hide(flags, "queue")
	return cmd
}

// queues are the queues that can be followed, by the scheme of their URLs.
func queues() map[string]func(*app, *url.URL) (client.Queue, error) {
	return map[string]func(*app, *url.URL) (client.Queue, error){
		"nats": openNATSQueue, "tls": openNATSQueue, "sqs": openSQSQueue, "pubsub": openPubSubQueue,
	}
}

func (a *app) openQueue(address string) (client.Queue, error) {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return nil, errors.New("--queue: want a URL such as nats://127.0.0.1:4222")
	}
	open, ok := queues()[u.Scheme]
	if !ok {
		return nil, fmt.Errorf("--queue: unknown scheme %q; known are %s", u.Scheme, strings.Join(sortedKeys(queues()), ", "))
	}
	return open(a, u)
}

func openNATSQueue(_ *app, u *url.URL) (client.Queue, error) { return client.OpenNATS(u) }

func openSQSQueue(a *app, u *url.URL) (client.Queue, error) {
	cfg, err := sqs.Parse(u, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	return sqs.NewReceiver(cfg, sqs.Deps{Log: a.log})
}

func openPubSubQueue(a *app, u *url.URL) (client.Queue, error) {
	cfg, err := pubsub.Parse(u, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	return pubsub.NewReceiver(cfg, pubsub.Deps{Log: a.log})
}

// watcher prints messages as they come.
type watcher struct {
	app  *app
	out  *bufio.Writer
	most int
	seen int
}

func (w *watcher) print(m *notify.Message) error {
	text, err := w.line(m)
	if err != nil {
		return err
	}
	w.out.WriteString(text + "\n")
	if err := w.out.Flush(); err != nil {
		return err
	}
	if w.seen++; w.seen == w.most {
		return client.ErrStop
	}
	return nil
}

func (w *watcher) line(m *notify.Message) (string, error) {
	switch w.app.format {
	case "eve":
		text, err := notify.FormatEVE.Append(nil, m, time.Now())
		return string(text), err
	case "json":
		text, err := notify.FormatRow.Append(nil, m, time.Now())
		return string(text), err
	}
	return humanMessage(m), nil
}

// humanMessage is a line as detect prints it, and the reason below.
func humanMessage(m *notify.Message) string {
	al, v := &m.Alert, m.Alert.Verdict
	if m.Kind == notify.Action {
		return printable("action  " + string(m.Body))
	}
	at := "-"
	if !al.Start.IsZero() {
		at = al.Start.UTC().Format("2006-01-02T15:04:05.000000Z")
	}
	flow := "recorded flow"
	if al.Src.IsValid() {
		flow = alert.Endpoint(al.Src, al.SrcPort, al.Proto) + " → " + alert.Endpoint(al.Dst, al.DstPort, al.Proto) + "  " + protocolName(al.Proto)
	}
	s := fmt.Sprintf("%s  %-6s %s  %.4f  %s", at, v.Class, flow, v.Probability, v.Model)
	if t, ok := alert.TechniqueOf(v.Class); ok && v.Attack {
		s += "  " + t.ID + " " + t.Name
	}
	return printable(s) + "\n    " + printable(cmp.Or(alert.Reason(al, 3), rowText(m.Body)))
}

// rowText shows a row's first columns when nothing says which of them counted.
func rowText(body []byte) string {
	row, err := notify.ParseRow(body)
	if err != nil {
		return "no row"
	}
	var parts []string
	for i, name := range row.Columns {
		if len(parts) == 5 {
			parts = append(parts, fmt.Sprintf("… %d columns", len(row.Columns)-1))
			break
		}
		parts = append(parts, fmt.Sprintf("%s = %v", name, row.Values[i]))
	}
	return strings.Join(parts, ", ")
}
