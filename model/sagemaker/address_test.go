package sagemaker

import (
	"errors"
	"testing"
)

func TestEndpointNames(t *testing.T) {
	for _, text := range []string{
		"ml-ids", "/endpoints/ml-ids/invocations", "endpoints/ml-ids/invocations", " ml-ids\n", "/endpoints/ml-ids",
		"https://runtime.sagemaker.eu-central-1.amazonaws.com/endpoints/ml-ids/invocations",
	} {
		if name, err := parseEndpoint(text); name != "ml-ids" || err != nil {
			t.Errorf("%q is %q, %v", text, name, err)
		}
	}
	for _, text := range []string{"", "-x", "a/b", "../x", "a b", "/endpoints//invocations", "x?y", string(make([]byte, 64))} {
		if name, err := parseEndpoint(text); !errors.Is(err, ErrConfig) {
			t.Errorf("%q is %q, %v; want ErrConfig", text, name, err)
		}
	}
}

func TestHosts(t *testing.T) {
	for text, want := range map[string]struct{ url, region string }{
		"runtime.sagemaker.us-east-1.amazonaws.com":                                 {"https://runtime.sagemaker.us-east-1.amazonaws.com", "us-east-1"},
		"https://runtime.sagemaker.eu-west-1.amazonaws.com":                         {"https://runtime.sagemaker.eu-west-1.amazonaws.com", "eu-west-1"},
		"vpce-0a-1b.runtime.sagemaker.eu-west-1.vpce.amazonaws.com":                 {"https://vpce-0a-1b.runtime.sagemaker.eu-west-1.vpce.amazonaws.com", "eu-west-1"},
		"runtime.sagemaker.cn-north-1.amazonaws.com.cn":                             {"https://runtime.sagemaker.cn-north-1.amazonaws.com.cn", "cn-north-1"},
		"https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/x/invocations": {"https://runtime.sagemaker.eu-west-1.amazonaws.com", "eu-west-1"},
		"http://127.0.0.1:8080":                                                     {"http://127.0.0.1:8080", ""},
		"emulator:4566":                                                             {"https://emulator:4566", ""},
		"evil.example/runtime.sagemaker.eu-west-1.amazonaws.com":                    {"https://evil.example/runtime.sagemaker.eu-west-1.amazonaws.com", ""},
	} {
		u, err := parseHost(text)
		if err != nil || u.String() != want.url || regionOf(u) != want.region {
			t.Errorf("%q is %v in %q, %v", text, u, regionOf(u), err)
		}
	}
	for _, text := range []string{"ftp://x", "https://", "https://user:secret@x", "https://x?y=z", "http://[::1"} {
		if u, err := parseHost(text); !errors.Is(err, ErrConfig) {
			t.Errorf("%q is %v, %v; want ErrConfig", text, u, err)
		}
	}
	for text, want := range map[string]bool{
		"http://127.0.0.1:1": false, "http://localhost": false, "http://[::1]:5": false, "http://10.0.0.1": true, "http://x": true, "x": false,
	} {
		u, err := parseHost(text)
		if err != nil || isOpen(u) != want {
			t.Errorf("%q is open: %v, %v", text, isOpen(u), err)
		}
	}
}
