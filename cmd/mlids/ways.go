package main

import (
	"net/url"
	"os"
	"slices"
	"strings"

	"mlids/notify"
	"mlids/notify/file"
	"mlids/notify/kafka"
	"mlids/notify/pubsub"
	"mlids/notify/sns"
	"mlids/notify/sqs"
	"mlids/notify/syslog"
	"mlids/notify/webhook"
)

// waysOut are the ways out that mlids knows, by the scheme of their URLs.
func waysOut() map[string]makeSink {
	return map[string]makeSink{
		"file": openFile, "http": openWebhook, "https": openWebhook, "sns": openSNS, "sqs": openSQS,
		"syslog": openSyslog, "syslog+udp": openSyslog, "syslog+tcp": openSyslog, "syslog+tls": openSyslog, "kafka": openKafka, "pubsub": openPubSub,
	}
}

// opened makes a sink of its configuration, unless that is wrong.
func opened[C any, S notify.Sink](cfg C, err error, open func(C) (S, error)) (notify.Sink, error) {
	if err != nil {
		return nil, err
	}
	return open(cfg)
}

func openFile(a *app, u *url.URL) (notify.Sink, error) {
	cfg, err := file.Parse(u)
	return opened(cfg, err, func(c file.Config) (*file.Sink, error) { return file.New(c, file.Deps{Log: a.log}) })
}

func openWebhook(a *app, u *url.URL) (notify.Sink, error) {
	cfg, err := webhook.Parse(u)
	return opened(cfg, err, func(c webhook.Config) (*webhook.Sink, error) { return webhook.New(c, webhook.Deps{Log: a.log}) })
}

func openSNS(a *app, u *url.URL) (notify.Sink, error) {
	cfg, err := sns.Parse(u, os.LookupEnv)
	return opened(cfg, err, func(c sns.Config) (*sns.Sink, error) { return sns.New(c, sns.Deps{Log: a.log}) })
}

func openSQS(a *app, u *url.URL) (notify.Sink, error) {
	cfg, err := sqs.Parse(u, os.LookupEnv)
	return opened(cfg, err, func(c sqs.Config) (*sqs.Sink, error) { return sqs.New(c, sqs.Deps{Log: a.log}) })
}

func openSyslog(a *app, u *url.URL) (notify.Sink, error) {
	cfg, err := syslog.Parse(u)
	return opened(cfg, err, func(c syslog.Config) (*syslog.Sink, error) { return syslog.New(c, syslog.Deps{Log: a.log}) })
}

func openKafka(a *app, u *url.URL) (notify.Sink, error) {
	cfg, err := kafka.Parse(u)
	return opened(cfg, err, func(c kafka.Config) (*kafka.Sink, error) { return kafka.New(c, kafka.Deps{Log: a.log}) })
}

func openPubSub(a *app, u *url.URL) (notify.Sink, error) {
	cfg, err := pubsub.Parse(u, os.LookupEnv)
	return opened(cfg, err, func(c pubsub.Config) (*pubsub.Sink, error) { return pubsub.New(c, pubsub.Deps{Log: a.log}) })
}

// waysOfEnvironment are the ways out that exist by the environment alone: with AWS_SNS_PREDICTIONS_TOPIC set, every prediction
// goes to that topic, as in ML-IDS. A way out that is called sns already takes its place.
func waysOfEnvironment(given []string, lookup func(string) (string, bool)) []string {
	topic, _ := lookup("AWS_SNS_PREDICTIONS_TOPIC")
	if topic == "" || slices.ContainsFunc(given, func(way string) bool { return strings.HasPrefix(strings.TrimSpace(way), "sns=") }) {
		return given
	}
	return append(slices.Clone(given), "sns=sns:"+topic+" prediction=all")
}
