package main

import (
	"net/url"
	"os"

	"mlids/notify"
	"mlids/notify/file"
	"mlids/notify/sns"
	"mlids/notify/sqs"
	"mlids/notify/webhook"
)

// waysOut are the ways out that mlids knows, by the scheme of their URLs.
func waysOut() map[string]func(*app, *url.URL) (notify.Sink, error) {
	return map[string]func(*app, *url.URL) (notify.Sink, error){
		"file": openFile, "http": openWebhook, "https": openWebhook, "sns": openSNS, "sqs": openSQS,
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
