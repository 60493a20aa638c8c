package awstest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Region is where topics and queues are made.
const Region = "eu-west-1"

// Env is an environment with the names of ML-IDS, for the emulator; keys and values follow each other in more.
func (s *Server) Env(more ...string) func(string) (string, bool) {
	env := map[string]string{"AWS_REGION": Region, "AWS_ENDPOINT_URL": s.URL, "AWS_ACCESS_KEY": "test", "AWS_SECRET_KEY": "test"}
	for i := 0; i+1 < len(more); i += 2 {
		env[more[i]] = more[i+1]
	}
	return func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
}

func (s *Server) config() aws.Config {
	return aws.Config{
		Region: Region, BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

// SNS is a client of the emulator.
func (s *Server) SNS() *sns.Client { return sns.NewFromConfig(s.config()) }

// SQS is a client of the emulator.
func (s *Server) SQS() *sqs.Client { return sqs.NewFromConfig(s.config()) }

// Topic makes a topic and gives its ARN. A name that ends in .fifo makes a FIFO topic.
func (s *Server) Topic(tb testing.TB, name string, attributes map[string]string) string {
	tb.Helper()
	out, err := s.SNS().CreateTopic(tb.Context(), &sns.CreateTopicInput{Name: &name, Attributes: attributes})
	if err != nil {
		tb.Fatal(err)
	}
	return *out.TopicArn
}

// Queue makes a queue and gives its URL.
func (s *Server) Queue(tb testing.TB, name string, attributes map[string]string) string {
	tb.Helper()
	out, err := s.SQS().CreateQueue(tb.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		tb.Fatal(err)
	}
	return *out.QueueUrl
}

// Subscribe sends what a topic gets to a queue, when the filter policy lets it pass; raw leaves out the envelope.
func (s *Server) Subscribe(tb testing.TB, topic, queue, filterPolicy string, raw bool) {
	tb.Helper()
	got, err := s.SQS().GetQueueAttributes(tb.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &queue, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		tb.Fatal(err)
	}
	attributes := map[string]string{}
	if filterPolicy != "" {
		attributes["FilterPolicy"] = filterPolicy
	}
	if raw {
		attributes["RawMessageDelivery"] = "true"
	}
	_, err = s.SNS().Subscribe(tb.Context(), &sns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: aws.String(got.Attributes["QueueArn"]), Attributes: attributes,
	})
	if err != nil {
		tb.Fatal(err)
	}
}
