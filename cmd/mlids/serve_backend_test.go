package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"mlids/internal/sagemakertest"
)

// startServe runs "mlids serve" until the test ends and returns its URL and what it has logged so far.
func startServe(t *testing.T, args ...string) (url string, logged func() string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	r, w := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, append([]string{"serve", "--data-dir", t.TempDir()}, args...), streams{strings.NewReader(""), io.Discard, w})
		w.Close()
	}()
	t.Cleanup(func() {
		stop()
		if code := <-done; code != exitDone {
			t.Errorf("serve ended with exit code %d:\n%s", code, logged())
		}
	})
	var mu sync.Mutex
	var log bytes.Buffer
	logged = func() string {
		mu.Lock()
		defer mu.Unlock()
		return log.String()
	}
	serving := make(chan string, 1)
	go func() {
		defer close(serving)
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			mu.Lock()
			log.WriteString(lines.Text() + "\n")
			mu.Unlock()
			if _, rest, ok := strings.Cut(lines.Text(), "serves on "); ok {
				serving <- strings.Fields(rest)[0]
			}
		}
	}()
	url, ok := <-serving
	if !ok {
		t.Fatalf("serve did not start:\n%s", logged())
	}
	return url, logged
}

// postFlows sends docs/flows.json.
func postFlows(t *testing.T, url string) (status int, header http.Header, answer string) {
	t.Helper()
	flows, err := os.ReadFile("../../docs/flows.json")
	if err != nil {
		t.Fatal(err)
	}
	return postBody(t, url, "application/json; format=pandas-split", string(flows))
}

func postBody(t *testing.T, url, media, body string) (status int, header http.Header, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", media)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(text)
}

// clearAWS hides the environment and files of who runs the test.
func clearAWS(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SAGEMAKER_ENDPOINT",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

// The environment of ML-IDS is all that it takes; when the endpoint is down the fallback answers.
func TestEnvironmentOfMLIDS(t *testing.T) {
	clearAWS(t)
	var down atomic.Bool
	e := sagemakertest.Start(t, &sagemakertest.Endpoint{Name: "ml-ids", Answer: func(w http.ResponseWriter, n int, c sagemakertest.Call) {
		if down.Load() {
			sagemakertest.Fail(w, http.StatusBadRequest, "ValidationError", "Endpoint ml-ids not found")
			return
		}
		sagemakertest.Send(w, "application/json", "[0, 1]") // not what the local model says
	}})
	for name, value := range map[string]string{
		"AWS_REGION": sagemakertest.Region, "AWS_SAGEMAKER_HOST": e.URL(), "AWS_SAGEMAKER_ENDPOINT": "/endpoints/ml-ids/invocations",
		"AWS_ACCESS_KEY": sagemakertest.AccessKey, "AWS_SECRET_KEY": sagemakertest.SecretKey,
	} {
		t.Setenv(name, value)
	}
	url, logged := startServe(t, "--listen", "127.0.0.1:0", "--fallback", "cicflow", "--log-level", "debug")
	status, header, answer := postFlows(t, url+"/api/predictions")
	if status != http.StatusOK || answer != "[0,1]\n" || header.Get("X-Mlids-Backend") != "sagemaker" {
		t.Errorf("%d %s %v", status, answer, header)
	}
	if calls := e.Calls(); len(calls) != 1 || len(calls[0].Columns) < 40 || len(calls[0].Data) != 2 {
		t.Errorf("calls %+v", calls)
	}
	down.Store(true)
	status, header, answer = postFlows(t, url+"/api/predictions")
	if status != http.StatusOK || answer != "[1,0]\n" || header.Get("X-Mlids-Backend") != "fallback" {
		t.Errorf("with the endpoint down: %d %s %v", status, answer, header)
	}
	if text := logged(); strings.Contains(text, sagemakertest.SecretKey) || strings.Contains(text, sagemakertest.AccessKey) || !strings.Contains(text, "classified by SageMaker") {
		t.Errorf("logged\n%s", text)
	}
	var shown bytes.Buffer
	if code := run(t.Context(), []string{"check", "serve"}, streams{strings.NewReader(""), &shown, io.Discard}); code != exitDone {
		t.Errorf("check: exit code %d", code)
	}
	if text := shown.String(); !strings.Contains(text, "/endpoints/ml-ids/invocations") || strings.Contains(text, sagemakertest.SecretKey) {
		t.Errorf("check shows\n%s", text)
	}
}

func TestWrongBackends(t *testing.T) {
	clearAWS(t)
	for name, args := range map[string][]string{
		"no endpoint":      {"--backend", "sagemaker"},
		"unknown":          {"--backend", "oracle"},
		"lonely fallback":  {"--fallback", "cicflow"},
		"unknown fallback": {"--sagemaker-endpoint", "x", "--aws-region", "eu-west-1", "--fallback", "nope"},
		"missing file":     {"--sagemaker-endpoint", "x", "--aws-region", "eu-west-1", "--fallback", "none.onnx"},
		"no region":        {"--sagemaker-endpoint", "x"},
		"half a key":       {"--sagemaker-endpoint", "x", "--aws-region", "eu-west-1", "--aws-access-key", "AKID"},
	} {
		var said bytes.Buffer
		args = append([]string{"serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir()}, args...)
		if code := run(t.Context(), args, streams{strings.NewReader(""), io.Discard, &said}); code != exitInput {
			t.Errorf("%s: exit code %d, %s", name, code, said.String())
		}
	}
}

// Platforms such as Cloud Run say by PORT where to listen.
func TestPort(t *testing.T) {
	env := map[string]string{}
	get := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	listen := func(args ...string) (string, error) {
		a := &app{}
		cmd := a.serve()
		if err := cmd.ParseFlags(args); err != nil {
			t.Fatal(err)
		}
		err := configure(cmd, "", get)
		return cmd.Flags().Lookup("listen").Value.String(), err
	}
	for _, test := range []struct {
		env  map[string]string
		args []string
		want string
	}{
		{nil, nil, "127.0.0.1:5000"},
		{map[string]string{"PORT": "8080"}, nil, "127.0.0.1:8080"},
		{map[string]string{"PORT": "8080", "MLIDS_LISTEN": "0.0.0.0:5000"}, nil, "0.0.0.0:8080"},
		{map[string]string{"PORT": "8080", "MLIDS_LISTEN": "[::]:5000"}, nil, "[::]:8080"},
		{map[string]string{"PORT": "8080"}, []string{"--listen", "10.0.0.1:1"}, "10.0.0.1:1"},
		{map[string]string{"PORT": ""}, nil, "127.0.0.1:5000"},
	} {
		env = test.env
		if got, err := listen(test.args...); got != test.want || err != nil {
			t.Errorf("%v %v: %s, %v; want %s", test.env, test.args, got, err, test.want)
		}
	}
	for _, port := range []string{"http", "0", "70000", "-1"} {
		env = map[string]string{"PORT": port}
		if got, err := listen(); err == nil {
			t.Errorf("PORT=%s gave %s", port, got)
		}
	}
}
