package main

import (
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
)

// Each way out opens with what its table in docs/queues.md gives as an example, and none with a typing error.
func TestWaysOut(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-west-1")
	a := &app{log: slog.New(slog.DiscardHandler)}
	for scheme, example := range map[string]string{
		"file":       "file:///var/log/mlids/alerts.json?format=eve&size=100MiB&count=10&age=30d",
		"http":       "http://127.0.0.1:9093/api/v2/alerts?format=alertmanager&allow-private",
		"https":      "https://hooks.example.com/services/T0/B0/X?format=slack",
		"sns":        "sns:arn:aws:sns:eu-west-1:123456789012:predictions",
		"syslog+udp": "syslog+udp://127.0.0.1:514?facility=4",
		"syslog+tls": "syslog+tls://logs.example.com?format=eve",
		"kafka":      "kafka://127.0.0.1:9092/mlids.attacks",
		"pubsub":     "pubsub://project/attacks?endpoint=127.0.0.1:8085&insecure",
		"sqs":        "sqs://sqs.eu-west-1.amazonaws.com/123456789012/attacks",
	} {
		u, err := url.Parse(example)
		if err != nil || u.Scheme != scheme {
			t.Fatal(example, err)
		}
		sink, err := waysOut()[scheme](a, u)
		if err != nil {
			t.Errorf("%s: %v", example, err)
			continue
		}
		if sink.Batch() < 1 {
			t.Errorf("%s: a batch of %d", example, sink.Batch())
		}
		if err := sink.Close(); err != nil {
			t.Error(err)
		}
		q := u.Query()
		q.Set("typo", "1")
		u.RawQuery = q.Encode()
		if _, err := waysOut()[scheme](a, u); err == nil {
			t.Errorf("%s was taken", u)
		}
	}
}

func TestWaysOfEnvironment(t *testing.T) {
	env := func(name string) (string, bool) {
		v, ok := map[string]string{"AWS_SNS_PREDICTIONS_TOPIC": "arn:aws:sns:eu-west-1:1:p"}[name]
		return v, ok
	}
	got := waysOfEnvironment([]string{"log=file:///x"}, env)
	if !slices.Equal(got, []string{"log=file:///x", "sns=sns:arn:aws:sns:eu-west-1:1:p prediction=all"}) {
		t.Errorf("%q", got)
	}
	own := []string{"sns=sns:arn:aws:sns:eu-west-1:1:other"}
	if got := waysOfEnvironment(own, env); !slices.Equal(got, own) {
		t.Errorf("%q", got)
	}
	if got := waysOfEnvironment(own, func(string) (string, bool) { return "", false }); !slices.Equal(got, own) {
		t.Errorf("without the variable: %q", got)
	}
}

// The way out of the service on Cloud Run is one.
func TestWayOfCloudRun(t *testing.T) {
	text, err := os.ReadFile("../../deploy/gcp/service.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "name: MLIDS_NOTIFY\n              value: ")
	line, _, _ := strings.Cut(strings.ReplaceAll(rest, "PROJECT", "example"), "\n")
	a := &app{log: slog.New(slog.DiscardHandler), sinks: waysOut()}
	ways, err := a.wayList([]string{line + " "})
	if !ok || err != nil && !strings.Contains(err.Error(), "credentials") {
		t.Fatalf("%q: %v", line, err)
	}
	for _, w := range ways {
		if !w.Filter.WantsBenign() {
			t.Errorf("%q leaves out benign predictions", line)
		}
		if err := w.Sink.Close(); err != nil {
			t.Error(err)
		}
	}
}
