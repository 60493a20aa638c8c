package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"mlids/feature"
	"mlids/internal/influxtest"
	"mlids/internal/testdata"
)

// verb runs a command line that has to succeed and gives what it prints.
func verb(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	if code := run(t.Context(), args, streams{strings.NewReader(""), &out, &log}); code != exitDone {
		t.Fatalf("mlids %s: exit code %d\n%s", strings.Join(args, " "), code, log.String())
	}
	return out.String(), log.String()
}

// kddFile writes KDD's table without compression, one row in fifty unless MLIDS_FULL is set, and counts its rows.
func kddFile(t *testing.T) (path string, rows int) {
	t.Helper()
	file, err := os.Open(testdata.Path(t, "kdd99", "kddcup.data_10_percent.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("MLIDS_FULL") == "" {
		text = every(text, 50)
	}
	path = filepath.Join(t.TempDir(), "kdd.csv")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, bytes.Count(text, []byte("\n"))
}

// every keeps one line in n.
func every(text []byte, n int) []byte {
	var kept []byte
	i := 0
	for line := range bytes.Lines(text) {
		if i++; i%n == 0 {
			kept = append(kept, line...)
		}
	}
	return kept
}

// TestTelegraf is what a new user does: load a table by Telegraf, count it in InfluxDB's shell, train from it.
func TestTelegraf(t *testing.T) {
	t.Parallel() // Telegraf mostly waits
	telegraf := influxtest.Program(t, "telegraf")
	server := influxtest.Start(t, "")
	file, rows := kddFile(t)
	load(t, telegraf, file, server, rows)
	counts := server.Shell(t, "kdd", `SELECT COUNT("src_bytes") FROM traffic GROUP BY "attack_type"`)
	for _, attack := range []string{"normal.", "smurf.", "neptune."} {
		if !strings.Contains(counts, "tags: attack_type="+attack+"\n") {
			t.Errorf("no count of %s in\n%s", attack, counts)
		}
	}

	dir := t.TempDir()
	model := func(source string) []byte {
		out := filepath.Join(dir, "m.onnx")
		verb(t, "train", "--data", source, "--schema", "kdd99", "--algorithm", "tree", "--out", out)
		bytes, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	at := server.URL("kdd", "measurement=traffic")
	if !bytes.Equal(model(at), model(file)) {
		t.Error("the model trained from InfluxDB is not the one trained from the file")
	}

	back := filepath.Join(dir, "back.csv")
	again := filepath.Join(dir, "again.csv")
	verb(t, "data", "copy", "--from", at, "--to", back, "--schema", "kdd99")
	verb(t, "data", "copy", "--from", file, "--to", again, "--schema", "kdd99")
	if a, b := read(t, back), read(t, again); !bytes.Equal(a, b) {
		t.Error("the table that comes back is another")
	}
	other := server.URL("kdd", "measurement=copied")
	if _, log := verb(t, "data", "copy", "--from", at, "--to", other, "--schema", "kdd99"); !strings.Contains(log, "server_counts=") {
		t.Errorf("the count is not told: %s", log)
	}
	if out, _ := verb(t, "predict", "--model", "kdd99", "--data", other+"&limit=5"); strings.Count(out, "\n") != 5 {
		t.Errorf("predict prints\n%s", out)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// load runs Telegraf until the server counts all rows.
func load(t *testing.T, telegraf, file string, server *influxtest.Server, rows int) {
	t.Helper()
	start := time.Now()
	var log bytes.Buffer
	cmd := exec.Command(telegraf, "--config", filepath.Join("..", "..", "deploy", "telegraf", "telegraf.conf"))
	cmd.Env = append(os.Environ(), "KDD_FILE="+file, "INFLUX_URL=http://"+server.Addr)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Signal(os.Interrupt); cmd.Wait() }()
	ctx, stop := context.WithTimeout(t.Context(), 15*time.Minute)
	defer stop()
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) { // counting keeps the server from loading
		answer := server.Query(t, "kdd", `SELECT COUNT("src_bytes") FROM traffic`)
		if strings.Contains(answer, fmt.Sprintf(",%d]]", rows)) {
			t.Logf("Telegraf loaded %d rows, %.0f rows/s", rows, float64(rows)/time.Since(start).Seconds())
			return
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			cmd.Process.Kill()
			cmd.Wait()
			t.Fatalf("Telegraf did not load %d rows: %s\n%s", rows, answer, log.Bytes())
		}
	}
}

// TestVerdictsBack serves, asks, and then asks InfluxDB what Grafana would.
func TestVerdictsBack(t *testing.T) {
	server := influxtest.Start(t, "")
	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{
			"serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--influx-out", server.URL("verdicts", ""),
		}, streams{strings.NewReader(""), io.Discard, w})
		w.Close()
	}()
	url := awaitAddress(t, r)
	body := kddRecord(t)
	for range 3 {
		response, err := http.Post(url+"/predict", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", response.Status, text)
		}
	}
	stop()
	if code := <-done; code != exitDone {
		t.Fatalf("serve ended with %d", code)
	}
	for title, query := range dashboard(t) {
		query = strings.NewReplacer("$timeFilter", "time > now() - 1h", "$__interval", "10m", "/^$model$/", "/.*/").Replace(query)
		if answer := server.Query(t, "verdicts", query); !strings.Contains(answer, `"values":[[`) || !strings.Contains(answer, "kdd99") {
			t.Errorf("%s: %s\ngives %s", title, query, answer)
		}
	}
	answer := server.Query(t, "verdicts", `SELECT SUM("rows") FROM mlids_verdicts`)
	if !strings.Contains(answer, `,3]]`) {
		t.Errorf("3 rows were classified, and InfluxDB has %s", answer)
	}
}

// kddRecord is a connection as POST /predict takes it.
func kddRecord(tb testing.TB) []byte {
	tb.Helper()
	catalogue, err := feature.Schemas()
	if err != nil {
		tb.Fatal(err)
	}
	schema, err := catalogue.Find("kdd99")
	if err != nil {
		tb.Fatal(err)
	}
	record := map[string]any{}
	for _, c := range schema.Columns {
		record[c.Name] = 0
	}
	record["protocol_type"], record["service"], record["flag"] = "tcp", "http", "SF"
	text, err := json.Marshal(record)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// awaitAddress reads what serve logs until it says where it listens.
func awaitAddress(t *testing.T, r io.Reader) string {
	t.Helper()
	return awaitText(t, r, `serves on (http://\S+) `)
}

// awaitText reads what is logged until it matches, and returns the first group.
func awaitText(t *testing.T, r io.Reader, pattern string) string {
	t.Helper()
	var seen []byte
	piece := make([]byte, 4096)
	for {
		n, err := r.Read(piece)
		seen = append(seen, piece[:n]...)
		if m := regexp.MustCompile(pattern).FindSubmatch(seen); m != nil {
			go io.Copy(io.Discard, r)
			return string(m[1])
		}
		if err != nil {
			t.Fatalf("no %s in %s", pattern, seen)
		}
	}
}

// dashboard gives the queries of Grafana's dashboard by title.
func dashboard(t *testing.T) map[string]string {
	t.Helper()
	var board struct {
		Templating struct {
			List []struct{ Name, Type, Query string }
		}
		Panels []struct {
			Title   string
			Targets []struct{ Query string }
		}
	}
	if err := json.Unmarshal(read(t, filepath.Join("..", "..", "deploy", "grafana", "verdicts.json")), &board); err != nil {
		t.Fatal(err)
	}
	queries := map[string]string{}
	for _, v := range board.Templating.List {
		if v.Type == "query" {
			queries[v.Name] = v.Query
		}
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			queries[p.Title] = target.Query
		}
	}
	if len(queries) < 5 {
		t.Fatalf("the dashboard has the queries %v", queries)
	}
	return queries
}
