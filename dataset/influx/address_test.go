package influx

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(name string) (string, bool) {
		v, ok := map[string]string{"INFLUX_USERNAME": "eve", "INFLUX_PASSWORD": "env pass", "INFLUX_TOKEN": "env token"}[name]
		return v, ok
	}
	day := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		source string
		want   Address
	}{
		{"influxdb://h:1/kdd?measurement=traffic", Address{Host: "h:1", Database: "kdd", Measurement: "traffic", user: "eve", password: "env pass"}},
		{"influxdbs://ann:p%40ss@h/kdd", Address{Host: "h:8086", TLS: true, Database: "kdd", user: "ann", password: "p@ss"}},
		{"influxdb://ann@h/kdd?password_file=" + file, Address{Host: "h:8086", Database: "kdd", user: "ann", password: "from file"}},
		{"influxdb://h/?org=o&bucket=b&token=t&measurement=m", Address{
			Host: "h:8086", Database: "b", Org: "o", V2: true, token: "t", Measurement: "m",
		}},
		{"influxdb://h/b?org=o", Address{Host: "h:8086", Database: "b", Org: "o", V2: true, token: "env token"}},
		{"influxdb://h/b?token_file=" + file, Address{Host: "h:8086", Database: "b", V2: true, token: "from file"}},
		{"influxdb://h/d?where=land%3D1&start=2026-01-31&end=2026-01-31T01:00:00Z&limit=7&timeout=5s&label=l&name=n", Address{
			Host: "h:8086", Database: "d", Where: "land=1", Start: day, End: day.Add(time.Hour), Limit: 7, Timeout: 5 * time.Second,
			Label: "l", Name: "n", user: "eve", password: "env pass",
		}},
		{"influxdb://h/d?start=17", Address{Host: "h:8086", Database: "d", Start: time.Unix(0, 17).UTC(), user: "eve", password: "env pass"}},
	} {
		got, err := Parse(c.source, env)
		if err != nil {
			t.Errorf("%s: %v", c.source, err)
			continue
		}
		if c.want.Timeout == 0 {
			c.want.Timeout = time.Minute
		}
		if *got != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", c.source, *got, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for source, want := range map[string]string{
		"http://h/d":                         "want influxdb://",
		"influxdb://u:hush%@h/d":             "want influxdb://",
		"influxdb://u:hush@h:port/d":         "want influxdb://",
		"influxdb://u:hush@h":                "want one database",
		"influxdb:///d":                      "host is missing",
		"influxdb://u:hush@h/a/b":            "want one database",
		"influxdb://u:hush@h/d?nosuch=1":     "nosuch: not known; there are bucket, ca,",
		"influxdb://h/d?limit=0":             "want a number of rows",
		"influxdb://h/d?limit=1&limit=2":     "given twice",
		"influxdb://h/d?timeout=5":           "want a time like 30s",
		"influxdb://h/d?start=yesterday":     "want 2026-01-31T12:00:00Z",
		"influxdb://h/d?start=9&end=9":       "start is not before end",
		"influxdb://h/d?token=hush&a=%":      "parameters cannot be read",
		"influxdb://h/d?measurement=a%0ab":   "not for names",
		"influxdb://h/d?measurement=a#b":     "want it as %23",
		"influxdb://h/d?token_file=/no/such": "token_file",
	} {
		_, err := Parse(source, nil)
		if !errors.Is(err, ErrAddress) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", source, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: the error shows the secret: %v", source, err)
		}
	}
}

func TestAddressShowsNoSecret(t *testing.T) {
	a, err := Parse("influxdbs://ann:hush@h:1/my%20db?measurement=t&token=hush", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := a.String(), "influxdbs://ann@h:1/my%20db?measurement=t"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	a.Name = "short"
	if a.Title() != "short" {
		t.Errorf("title %q", a.Title())
	}
}

func FuzzParse(f *testing.F) {
	f.Add("influxdb://u:p@h:8086/d?measurement=m&where=a%3D1&limit=3&start=2026-01-31")
	f.Fuzz(func(t *testing.T, source string) {
		if strings.Contains(source, "_file") {
			return
		}
		a, err := Parse(source, nil)
		if err == nil && !Is(a.String()) {
			t.Errorf("%q is %q", source, a)
		}
	})
}
