package influx_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mlids/dataset"
	"mlids/dataset/influx"
	"mlids/internal/influxtest"
)

// small is a table of three rows, with a gap and texts that need escapes.
func small(tb testing.TB) *dataset.Table {
	tb.Helper()
	names := make([]string, 41)
	row := make([]string, 41)
	for i, c := range schemaOf(tb, "kdd99").Columns {
		names[i], row[i] = c.Name, "0"
	}
	line := func(duration, protocol, service, label string) string {
		r := slices.Clone(row)
		r[0], r[1], r[2], r[3] = duration, protocol, service, "SF"
		return strings.Join(r, ",") + "," + label + "\n"
	}
	text := strings.Join(names, ",") + ",attack\n" + line("0.1", "tcp", "http", "normal.") +
		line("", "udp", `"no,\""such"`, `"buffer overflow, long=1"`) + line("16777217", "icmp", "", "")
	return csvTable(tb, text)
}

func csvTable(tb testing.TB, text string) *dataset.Table {
	tb.Helper()
	t, err := dataset.ReadCSV(tb.Context(), strings.NewReader(text), schemaOf(tb, "kdd99"), everything)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func TestOddTableThereAndBack(t *testing.T) {
	server := influxtest.Start(t, "")
	there := small(t)
	to := client(t, server.URL("odd", "measurement=a+b,c%3Dd&start=2026-01-31"))
	for range 2 { // the same rows at the same times overwrite themselves
		w, err := to.Write(t.Context(), there, nil)
		if err != nil {
			t.Fatal(err)
		}
		if w.Rows != 3 || w.Counted != 3 || w.Last.Sub(w.First) != 2 {
			t.Errorf("written: %+v", w)
		}
	}
	back, err := to.Read(t.Context(), there.Schema, everything)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, back), text(t, there); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for parameters, want := range map[string]int{
		"&limit=2": 2, "&where=%22duration%22%3E1": 1, "&end=2026-02-01": 3, "&start=1769817600000000001": 2, "&where=%22attack_type%22%3D%27normal%27": 1,
	} {
		part, err := client(t, server.URL("odd", "measurement=a+b,c%3Dd"+parameters)).Read(t.Context(), there.Schema, everything)
		if err != nil || part.Len() != want {
			t.Errorf("%s: %v, want %d rows", parameters, err, want)
		}
	}
}

// A table in which every column has gaps, in one row all of them.
func TestGapsThereAndBack(t *testing.T) {
	server := influxtest.Start(t, "")
	header := []string{}
	for _, c := range schemaOf(t, "kdd99").Columns {
		if len(c.Categories) == 0 {
			header = append(header, c.Name)
		}
	}
	gap := strings.Repeat(",", len(header))
	full := strings.Repeat("1,", len(header))
	there := csvTable(t, strings.Join(header, ",")+",attack\n"+full+"normal\n"+gap+"smurf\n"+full+"smurf\n")
	to := client(t, server.URL("gaps", "measurement=m"))
	w, err := to.Write(t.Context(), there, nil)
	if err != nil || w.Counted != 3 {
		t.Fatalf("%+v, %v", w, err)
	}
	back, err := to.Read(t.Context(), there.Schema, everything)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, back), text(t, there); got != want || back.Ignored != nil {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestServerSaysNo(t *testing.T) {
	server := influxtest.Start(t, "")
	if _, err := client(t, server.URL("d", "measurement=m")).Write(t.Context(), small(t), nil); err != nil {
		t.Fatal(err)
	}
	server.Shell(t, "d", `INSERT conflict src_bytes="text"`)
	_, err := client(t, server.URL("d", "measurement=conflict")).Write(t.Context(), small(t), nil)
	wantError(t, err, influx.ErrServer, "rows 1 to 3", "field type conflict", "src_bytes", "0 of 3 rows were written")

	for parameters, want := range map[string]struct {
		is   error
		says []string
	}{
		"measurement=nosuch":          {influx.ErrAddress, []string{`no measurement "nosuch"`, "conflict, m"}},
		"":                            {influx.ErrAddress, []string{"lacks measurement=", "conflict, m"}},
		"measurement=m&where=dur+ion": {influx.ErrServer, []string{"parsing query", "single quotes"}},
		"measurement=m&end=1":         {influx.ErrRows, []string{"no row fits"}},
		"measurement=conflict":        {dataset.ErrColumn, []string{"missing columns"}},
	} {
		_, err := client(t, server.URL("d", parameters)).Read(t.Context(), small(t).Schema, dataset.Options{})
		t.Run(parameters, func(t *testing.T) { wantError(t, err, want.is, want.says...) })
	}
	_, err = client(t, server.URL("nosuch", "measurement=m")).Read(t.Context(), small(t).Schema, dataset.Options{})
	wantError(t, err, influx.ErrServer, "database not found: nosuch")
	_, err = client(t, server.URL("d", "")).Write(t.Context(), small(t), nil)
	wantError(t, err, influx.ErrAddress, "measurement= is missing")
	bad := csvTable(t, strings.Replace(text(t, small(t)), "normal", `a\b`, 1))
	_, err = client(t, server.URL("d", "measurement=m")).Write(t.Context(), bad, nil)
	wantError(t, err, dataset.ErrLabel, `a\\b`)
}

func wantError(t *testing.T, err, is error, says ...string) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Errorf("error %v; want %v", err, is)
		return
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("error %q; want %q in it", err, s)
		}
	}
	if strings.Contains(err.Error(), "hush") {
		t.Errorf("the error shows the password: %v", err)
	}
}

func TestCredentials(t *testing.T) {
	server := influxtest.Start(t, "auth-enabled = true")
	server.Shell(t, "", "CREATE USER root WITH PASSWORD 'hush' WITH ALL PRIVILEGES")
	at := func(user string) string { return "influxdb://" + user + server.Addr + "/d?measurement=m" }
	if _, err := client(t, at("root:hush@")).Write(t.Context(), small(t), nil); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"root:hushhush@", "nobody:hush@", ""} {
		_, err := client(t, at(user)).Read(t.Context(), small(t).Schema, dataset.Options{})
		wantError(t, err, influx.ErrAccess)
		_, err = client(t, at(user)).Write(t.Context(), small(t), nil)
		wantError(t, err, influx.ErrAccess)
	}
}

// The server is killed in the middle of reading, and of writing; for writing it comes back.
func TestServerDies(t *testing.T) {
	server := influxtest.Start(t, "")
	rows := strings.SplitAfter(text(t, small(t)), "\n")
	table := csvTable(t, rows[0]+strings.Repeat(rows[1], 60_000))
	at := server.URL("d", "measurement=m")
	restarted := make(chan struct{})
	var once atomic.Bool
	w, err := client(t, at).Write(t.Context(), table, func(int, int) {
		if once.CompareAndSwap(false, true) {
			server.Kill()
			go func() { server.Restart(t); close(restarted) }()
		}
	})
	<-restarted
	if err != nil || w.Counted != table.Len() {
		t.Fatalf("writing to a server that dies and comes back: %+v, %v", w, err)
	}
	o := dataset.Options{Progress: func(p dataset.Progress) {
		if p.Rows > 10_000 {
			server.Kill()
		}
	}}
	_, err = client(t, at).Read(t.Context(), table.Schema, o)
	wantError(t, err, influx.ErrLost, "of 60000 rows; read again")
	_, err = client(t, at).Read(t.Context(), table.Schema, o)
	wantError(t, err, influx.ErrLost, "connection refused")
	_, err = client(t, at).Write(t.Context(), table, nil)
	wantError(t, err, influx.ErrLost, "connection refused")
}

func TestInterrupted(t *testing.T) {
	server := influxtest.Start(t, "")
	rows := strings.SplitAfter(text(t, small(t)), "\n")
	table := csvTable(t, rows[0]+strings.Repeat(rows[1], 20_000))
	at := client(t, server.URL("d", "measurement=m"))
	ctx, stop := context.WithCancel(t.Context())
	if w, err := at.Write(ctx, table, func(int, int) { stop() }); !errors.Is(err, context.Canceled) || w.Rows == 0 {
		t.Errorf("writing: %+v, %v; want it interrupted", w, err)
	}
	if _, err := at.Write(t.Context(), table, nil); err != nil {
		t.Fatal(err)
	}
	ctx, stop = context.WithCancel(t.Context())
	defer stop()
	_, err := at.Read(ctx, table.Schema, dataset.Options{Progress: func(dataset.Progress) { stop() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("reading: %v; want it interrupted", err)
	}
}

func TestBusyServer(t *testing.T) {
	server := influxtest.Start(t, "")
	var calls atomic.Int32
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch calls.Add(1) % 3 {
		case 0:
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"error":"timeout"}`)
		case 1:
			r.URL.Scheme, r.URL.Host, r.RequestURI = "http", server.Addr, ""
			proxied, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			defer proxied.Body.Close()
			w.Header().Set("Content-Type", proxied.Header.Get("Content-Type"))
			w.WriteHeader(proxied.StatusCode)
			copyBody(w, proxied.Body)
		case 2:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer busy.Close()
	at := client(t, strings.Replace(busy.URL, "http", "influxdb", 1)+"/d?measurement=m")
	if _, err := at.Write(t.Context(), small(t), nil); err != nil {
		t.Fatal(err)
	}
	if back, err := at.Read(t.Context(), small(t).Schema, everything); err != nil || back.Len() != 3 {
		t.Fatal(err)
	}
}

func TestSlowServer(t *testing.T) {
	done := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Query().Get("q"), "SHOW") { // an answer that never ends
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"results":[`)
			w.(http.Flusher).Flush()
		}
		<-done
	}))
	defer slow.Close()
	defer close(done)
	address, err := influx.Parse(strings.Replace(slow.URL, "http", "influxdb", 1)+"/d?measurement=m&timeout=50ms", nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := influx.New(address, influx.Deps{Patience: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	_, err = at.Read(t.Context(), small(t).Schema, everything)
	wantError(t, err, influx.ErrLost, "nothing came for 50ms")
	_, err = at.Write(t.Context(), small(t), nil)
	wantError(t, err, influx.ErrLost, "")
}

func TestTLS(t *testing.T) {
	secure := quietTLS(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"results":[{"error":"reached"}]}`)
	}))
	defer secure.Close()
	at := strings.Replace(secure.URL, "https", "influxdbs", 1) + "/d?measurement=m"
	_, err := client(t, at).Read(t.Context(), small(t).Schema, everything)
	wantError(t, err, influx.ErrAddress, "ca= names a file")

	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = client(t, at+"&ca="+ca).Read(t.Context(), small(t).Schema, everything)
	wantError(t, err, influx.ErrServer, "reached")

	address, err := influx.Parse(at+"&ca="+testBinary(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = influx.New(address, influx.Deps{})
	wantError(t, err, influx.ErrAddress, "no certificates in PEM form")
}

// The real server over TLS, under a certificate that only ca= makes known.
func TestRealTLS(t *testing.T) {
	key, certificate := selfSigned(t)
	server := influxtest.Start(t, fmt.Sprintf("https-enabled = true\nhttps-certificate = %q\nhttps-private-key = %q", certificate, key))
	at := "influxdbs://" + server.Addr + "/d?measurement=m"
	if _, err := client(t, at+"&ca="+certificate).Write(t.Context(), small(t), nil); err != nil {
		t.Fatal(err)
	}
	back, err := client(t, at+"&ca="+certificate).Read(t.Context(), small(t).Schema, everything)
	if err != nil || back.Len() != 3 {
		t.Fatal(err)
	}
	_, err = client(t, at).Read(t.Context(), small(t).Schema, everything)
	wantError(t, err, influx.ErrAddress, "ca= names a file")
}
