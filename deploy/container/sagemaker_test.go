package container_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"mlids/internal/awstest"
	"mlids/internal/sagemakertest"
)

// sageMaker runs the image as SageMaker does: the single argument train, then serve with the model that came of it. The user is root, as in
// the image that deploy/aws/push.sh --root-user pushes.
func sageMaker(t *testing.T, e *engine, image string) {
	t.Helper()
	root := optML(t, `{"schema":"kdd99","algorithm":"tree","depth":"3"}`)
	out, err := e.try("podman", e.job(root, image)...)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, "validation:recall=1.000000; validation:fpr=0.000000;") {
		t.Errorf("the job says\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(root, "output", "failure")); err == nil {
		t.Error("a job that succeeded left a failure")
	}
	addr := freePort(t)
	e.start("--user", "0:0", "-e", "SAGEMAKER_BIND_TO_PORT="+addr[strings.LastIndexByte(addr, ':')+1:], "-v", filepath.Join(root, "model")+":/opt/ml/model:ro", image, "serve")
	if ping := get(t, "http://"+addr+"/ping"); !strings.Contains(ping, `"ready"`) {
		t.Errorf("/ping answers %s", ping)
	}
	rows := strings.Join([]string{connection("http", 1), connection("private", 300)}, "\n")
	if verdicts := post(t, "http://"+addr+"/invocations", "text/csv", strings.NewReader(rows)); verdicts != "0\n1" {
		t.Errorf("/invocations answers %q", verdicts)
	}
}

// failingJob wants the reason where SageMaker looks for it, and an exit code that is not 0.
func failingJob(t *testing.T, e *engine, image string) {
	t.Helper()
	root := optML(t, `{"schema":"kdd99","epochs":"3"}`)
	if out, err := e.try("podman", e.job(root, image)...); err == nil {
		t.Errorf("a job with a setting that there is not ends well:\n%s", out)
	}
	failure, err := os.ReadFile(filepath.Join(root, "output", "failure"))
	if err != nil || !strings.Contains(string(failure), `hyperparameter "epochs"`) {
		t.Errorf("failure: %s (%v)", failure, err)
	}
}

// job is a command line that trains.
func (e *engine) job(root, image string) []string {
	return e.podman("--rm", "--user", "0:0", "--cap-add", "DAC_OVERRIDE", "-e", "TRAINING_JOB_NAME=job", "-v", root+":/opt/ml", image, "train")
}

// optML is the folder that SageMaker mounts as /opt/ml for a job.
func optML(t *testing.T, hyperparameters string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"input/config/hyperparameters.json":    hyperparameters,
		"input/config/inputdataconfig.json":    `{"train":{"TrainingInputMode":"File"},"validation":{"TrainingInputMode":"File"}}`,
		"input/config/resourceconfig.json":     `{"current_host":"algo-1","hosts":["algo-1"]}`,
		"input/data/train/part.csv":            connections(150),
		"input/data/validation/validation.csv": connections(31),
		"model/.keep":                          "",
		"output/.keep":                         "",
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// connection is a row of KDD Cup 1999 without label; one of many connections to a host is of a flood.
func connection(service string, count int) string {
	flag, rate := "SF", "0.00"
	if count > 100 {
		flag, rate = "S0", "1.00"
	}
	return fmt.Sprintf("0,tcp,%s,%s,%d,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,%d,%d,%s,%s,0.00,0.00,1.00,0.00,0.00,%d,%d,1.00,0.00,0.00,0.00,%s,%s,0.00,0.00",
		service, flag, 400/count, count, count, rate, rate, min(count, 255), min(count, 255), rate, rate)
}

func connections(n int) string {
	var b strings.Builder
	for i := range n {
		if i%3 == 0 {
			fmt.Fprintf(&b, "%s,neptune.\n", connection("private", 200+i))
		} else {
			fmt.Fprintf(&b, "%s,normal.\n", connection("http", 1+i%20))
		}
	}
	return b.String()
}

// asMLIDS runs the image with the environment of ML-IDS and nothing more, but for where the emulator is: the endpoint classifies, and
// the topic's filter passes the attack to the queue.
func asMLIDS(t *testing.T, e *engine, image string) {
	t.Helper()
	endpoint := sagemakertest.Start(t, &sagemakertest.Endpoint{Name: "ml-ids", Answer: func(w http.ResponseWriter, _ int, _ sagemakertest.Call) {
		sagemakertest.Send(w, "application/json", "[0, 1]") // not what the image's own model says
	}})
	aws := awstest.Fauxqs(t)
	topic, queue := aws.Topic(t, "predictions", nil), aws.Queue(t, "attacks", nil)
	aws.Subscribe(t, topic, queue, `{"prediction":["attack"]}`, false)
	addr := freePort(t)
	e.start("-e", "MLIDS_LISTEN="+addr, "-e", "MLIDS_INSECURE=true", "-e", "AWS_ENDPOINT_URL="+aws.URL,
		"-e", "AWS_REGION="+sagemakertest.Region, "-e", "AWS_SAGEMAKER_HOST="+endpoint.URL(), "-e", "AWS_SAGEMAKER_ENDPOINT=ml-ids",
		"-e", "AWS_SNS_PREDICTIONS_TOPIC="+topic, "-e", "AWS_ACCESS_KEY="+sagemakertest.AccessKey, "-e", "AWS_SECRET_KEY="+sagemakertest.SecretKey, image)
	get(t, "http://"+addr+"/readyz")
	if verdicts := post(t, "http://"+addr+"/api/predictions", "application/json; format=pandas-split", flows(t)); verdicts != "[0,1]" {
		t.Errorf("verdicts %s, want those of the endpoint, [0,1]", verdicts)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		got, err := aws.SQS().ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue, WaitTimeSeconds: 1, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Messages) > 0 {
			if text := *got.Messages[0].Body; len(got.Messages) != 1 || !strings.Contains(text, `"attack"`) || !strings.Contains(text, "prediction") {
				t.Errorf("%d messages, the first %s", len(got.Messages), text)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no attack arrives in the queue")
		}
	}
}
