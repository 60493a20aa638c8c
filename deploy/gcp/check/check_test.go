// Package check holds service.yaml to the types of Knative, on which Cloud Run's API is built. It is a module of its own so
// that mlids does not depend on them.
package check

import (
	"os"
	"strings"
	"testing"

	"knative.dev/pkg/apis"
	v1 "knative.dev/serving/pkg/apis/serving/v1"
	"sigs.k8s.io/yaml"
)

func TestService(t *testing.T) {
	service := read(t, rendered(t))
	if err := service.Validate(t.Context()).Filter(apis.ErrorLevel); err != nil {
		t.Errorf("service.yaml: %v", err)
	}
	spec := service.Spec.Template.Spec
	if c := spec.Containers[0]; len(c.Env) == 0 || c.StartupProbe == nil || c.LivenessProbe == nil || *spec.ContainerConcurrency < 1 {
		t.Errorf("service.yaml lacks keys, probes or a concurrency: %+v", spec)
	}
}

// What the service publishes goes to the topic that Terraform makes, by the account that Terraform lets publish.
func TestTopic(t *testing.T) {
	plan, err := os.ReadFile("../terraform/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	way := ""
	for _, v := range read(t, rendered(t)).Spec.Template.Spec.Containers[0].Env {
		if v.Name == "MLIDS_NOTIFY" {
			way = v.Value
		}
	}
	_, rest, ok := strings.Cut(way, "=pubsub://example/")
	topic, _, _ := strings.Cut(rest, " ")
	if !ok || !strings.Contains(string(plan), `= "`+topic+`"`) {
		t.Errorf("the way out %q has no topic in Terraform's file", way)
	}
	if !strings.Contains(string(plan), `"serviceAccount:mlids@${var.project}.iam.gserviceaccount.com"`) {
		t.Error("Terraform's file has another account")
	}
}

// What is wrong is found.
func TestWrongServices(t *testing.T) {
	text := rendered(t)
	for name, change := range map[string][2]string{
		"unknown key": {"containerConcurrency:", "concurrency:"},
		"wrong type":  {"timeoutSeconds: 120", "timeoutSeconds: soon"},
	} {
		broken := strings.Replace(string(text), change[0], change[1], 1)
		if err := yaml.UnmarshalStrict([]byte(broken), new(v1.Service)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	broken := strings.Replace(string(text), "containerConcurrency: 80", "containerConcurrency: -1", 1)
	if err := read(t, []byte(broken)).Validate(t.Context()).Filter(apis.ErrorLevel); err == nil {
		t.Error("a negative concurrency is valid")
	}
}

// rendered is service.yaml as deploy.sh fills it in, but for the account: Cloud Run wants its e-mail address, where Knative has a
// name.
func rendered(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../service.yaml")
	if err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("mlids@PROJECT.iam.gserviceaccount.com", "mlids", "PROJECT", "example", "REGION", "europe-west1", ":TAG", ":1.0")
	return []byte(fill.Replace(string(text)))
}

func read(t *testing.T, text []byte) *v1.Service {
	t.Helper()
	service := new(v1.Service)
	if err := yaml.UnmarshalStrict(text, service); err != nil {
		t.Fatal(err)
	}
	service.SetDefaults(t.Context())
	return service
}
