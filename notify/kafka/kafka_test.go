package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mlids"
	"mlids/notify"
	"mlids/notify/kafka"
)

func message(id, src string) *notify.Message {
	return &notify.Message{
		Kind:  notify.Prediction,
		Alert: mlids.Alert{ID: id, Src: netip.MustParseAddr(src), Start: time.Unix(1_700_000_000, 0), Verdict: mlids.Verdict{Attack: true, Class: "dos", Probability: 0.5, Model: "m"}},
		Body:  []byte(`{"columns":["prediction"],"data":[[1]]}`),
	}
}

func sink(t *testing.T, address string) *kafka.Sink {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := kafka.Parse(u)
	if err != nil {
		t.Fatal(err)
	}
	s, err := kafka.New(cfg, kafka.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestProduce(t *testing.T) {
	cluster := kfake.MustCluster(kfake.NumBrokers(3), kfake.SeedTopics(4, "attacks"))
	defer cluster.Close()
	s := sink(t, "kafka://"+cluster.ListenAddrs()[0]+"/attacks")
	var batch []*notify.Message
	for i := range 100 {
		batch = append(batch, message(strconv.Itoa(i), fmt.Sprintf("10.0.0.%d", i%5)))
	}
	if err := s.Send(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	consumer, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("attacks"))
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	last, partition := map[string]int{}, map[string]int32{}
	for n := 0; n < 100; {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			n++
			headers := map[string]string{}
			for _, h := range r.Headers {
				headers[h.Key] = string(h.Value)
			}
			m, err := notify.Parse(func(name string) string { return headers[name] }, r.Value)
			if err != nil || headers["prediction"] != "attack" || headers["probability"] != "0.500000" || string(r.Key) != m.Alert.Src.String() {
				t.Errorf("headers %v, key %s, %v", headers, r.Key, err)
				return
			}
			id := 0
			fmt.Sscan(m.Alert.ID, &id)
			key := string(r.Key)
			if p, seen := partition[key]; seen && (p != r.Partition || id <= last[key]) {
				t.Errorf("host %s: message %d after %d, partitions %d and %d", key, id, last[key], p, r.Partition)
			}
			last[key], partition[key] = id, r.Partition
		})
	}
}

// What a broker says decides whether a message is tried again.
func TestFailures(t *testing.T) {
	cluster := kfake.MustCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "attacks"))
	defer cluster.Close()
	s := sink(t, "kafka://"+cluster.ListenAddrs()[0]+"/attacks?timeout=5s")
	for code, permanent := range map[*kerr.Error]bool{kerr.MessageTooLarge: true, kerr.TopicAuthorizationFailed: false} {
		cluster.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
			req := r.(*kmsg.ProduceRequest)
			res := req.ResponseKind().(*kmsg.ProduceResponse)
			for _, topic := range req.Topics {
				rt := kmsg.NewProduceResponseTopic()
				rt.Topic, rt.TopicID = topic.Topic, topic.TopicID
				for _, p := range topic.Partitions {
					rp := kmsg.NewProduceResponseTopicPartition()
					rp.Partition, rp.ErrorCode = p.Partition, code.Code
					rt.Partitions = append(rt.Partitions, rp)
				}
				res.Topics = append(res.Topics, rt)
			}
			return res, nil, true
		})
		if err := s.Send(t.Context(), []*notify.Message{message("a", "10.0.0.1")}); err == nil || errors.Is(err, notify.ErrPermanent) != permanent {
			t.Errorf("%v: %v", code, err)
		}
	}
	dead := sink(t, "kafka://127.0.0.1:1/attacks?timeout=1s")
	if err := dead.Send(t.Context(), []*notify.Message{message("a", "10.0.0.1")}); err == nil || errors.Is(err, notify.ErrPermanent) {
		t.Errorf("no broker: %v", err)
	}
}

func TestParse(t *testing.T) {
	for _, address := range []string{"kafka://h:9092", "kafka:///t", "kafka://h/t?sasl=x", "kafka://h/t?acks=1"} {
		u, _ := url.Parse(address)
		if _, err := kafka.Parse(u); err == nil {
			t.Errorf("%s was read", address)
		}
	}
	if _, err := kafka.New(kafka.Config{Brokers: []string{"h:1"}, Topic: "t", SASL: "plain"}, kafka.Deps{}); err == nil {
		t.Error("SASL without a user was taken")
	}
}
