package pubsub_test

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	service "cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"mlids"
	"mlids/notify"
	"mlids/notify/pubsub"
)

func message(id string, attack bool) *notify.Message {
	m := &notify.Message{
		Kind:  notify.Prediction,
		Alert: mlids.Alert{ID: id, Src: netip.MustParseAddr("10.0.0.1"), Verdict: mlids.Verdict{Attack: attack, Class: "dos", Probability: 0.5, Model: "m"}},
		Body:  []byte(`{"columns":["prediction"],"data":[[1]]}`),
	}
	for i := range 30 { // more than an attribute may hold
		m.Alert.Top = append(m.Alert.Top, mlids.Contribution{Column: strings.Repeat("c", 40), Value: float64(i), Amount: 1})
	}
	return m
}

func config(t *testing.T, addr, name string) pubsub.Config {
	t.Helper()
	u, err := url.Parse("pubsub://project/" + name + "?timeout=5s")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := pubsub.Parse(u, func(name string) (string, bool) { return addr, name == "PUBSUB_EMULATOR_HOST" })
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// Every prediction goes to the topic; the subscription's filter lets attacks pass; our receiver takes them off.
func TestTopicFilterSubscription(t *testing.T) {
	server := pstest.NewServer()
	defer server.Close()
	admin, err := service.NewClient(t.Context(), "project", option.WithEndpoint(server.Addr), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	topic, sub := "projects/project/topics/predictions", "projects/project/subscriptions/attacks"
	if _, err := admin.TopicAdminClient.CreateTopic(t.Context(), &pubsubpb.Topic{Name: topic}); err != nil {
		t.Fatal(err)
	}
	_, err = admin.SubscriptionAdminClient.CreateSubscription(t.Context(), &pubsubpb.Subscription{
		Name: sub, Topic: topic, Filter: `attributes.prediction = "attack"`, EnableMessageOrdering: true, AckDeadlineSeconds: 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	sink, err := pubsub.New(config(t, server.Addr, "predictions"), pubsub.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	var batch []*notify.Message
	for i := range 20 {
		batch = append(batch, message(strconv.Itoa(i), i%2 == 0))
	}
	if err := sink.Send(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	for _, m := range server.Messages() {
		if m.OrderingKey != "10.0.0.1" || m.Attributes["class"] != "dos" || m.Attributes["probability"] != "0.500000" {
			t.Errorf("%+v", m)
		}
		for name, value := range m.Attributes {
			if len(value) > 1024 {
				t.Errorf("attribute %s has %d bytes", name, len(value))
			}
		}
	}
	receiver, err := pubsub.NewReceiver(config(t, server.Addr, "attacks"), pubsub.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	for i := 0; i < 20; i += 2 { // in order
		got, err := receiver.Receive(ctx)
		if err != nil || len(got) != 1 || got[0].Err != nil {
			t.Fatalf("%+v, %v", got, err)
		}
		if got[0].Alert.ID != strconv.Itoa(i) || !got[0].Alert.Verdict.Attack || len(got[0].Alert.Top) == 0 {
			t.Errorf("message %d: %+v", i, got[0].Alert)
		}
		if err := got[0].Delete(ctx); err != nil {
			t.Error(err)
		}
	}
}

func TestFailures(t *testing.T) {
	server := pstest.NewServer()
	defer server.Close()
	sink, err := pubsub.New(config(t, server.Addr, "none"), pubsub.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	for range 2 { // a failure does not stop the key for good
		err := sink.Send(t.Context(), []*notify.Message{message("a", true)})
		if err == nil || errors.Is(err, notify.ErrPermanent) || !strings.Contains(err.Error(), "NotFound") {
			t.Errorf("no such topic: %v", err)
		}
	}
	for _, address := range []string{"pubsub://p", "pubsub:///t", "pubsub://p/t/x", "pubsub://p/t?x=1"} {
		u, _ := url.Parse(address)
		if _, err := pubsub.Parse(u, func(string) (string, bool) { return "", false }); err == nil {
			t.Errorf("%s was read", address)
		}
	}
}
