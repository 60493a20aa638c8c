package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A picture says in words what it shows, and is XML.
func TestPicture(t *testing.T) {
	r := &result{attack: attack{name: "a <flood>", short: "x"}, blocked: true, blockedAt: time.Unix(1000, 300_000_000)}
	r.record.Class = "dos"
	for i := range int64(2000) {
		at := time.Unix(1000, 0).UnixNano() + i*int64(time.Millisecond)
		r.sent = append(r.sent, at)
		if i < 300 {
			r.arrived = append(r.arrived, at)
		}
	}
	path := filepath.Join(t.TempDir(), "x.svg")
	if err := draw(path, r); err != nil {
		t.Fatal(err)
	}
	svg, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a &lt;flood&gt; on h2", "blocked after 300 ms: 85.0% of 2000 packets kept", "packets per second", `xmlns="http://www.w3.org/2000/svg"`} {
		if !strings.Contains(string(svg), want) {
			t.Errorf("the picture lacks %q", want)
		}
	}
	for d := xml.NewDecoder(strings.NewReader(string(svg))); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := draw(path, &result{}); err == nil {
		t.Error("a picture of nothing")
	}
	if want := "ping: normal, 0% lost; x: ddos, blocked after 300 ms, 85.00% dropped"; r.verdict() != want {
		t.Errorf("the last line is %q, want %q", r.verdict(), want)
	}
}
