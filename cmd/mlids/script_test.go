package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"mlids/feature"
	"mlids/internal/testdata"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"mlids":       func() { os.Exit(process()) },
		"mlids-chaos": func() { os.Exit(chaosProcess()) },
	})
}

// TestScripts runs the stories in testdata: each is a command line with what a user sees. The servers that a story starts run in this process,
// and so under the race detector when there is one; command lines are the program that users have.
func TestScripts(t *testing.T) {
	program := programFolder(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			if program != "" {
				env.Setenv("PATH", program+string(filepath.ListSeparator)+env.Getenv("PATH"))
			}
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"flowtable": flowTable, "capture": packetCapture, "serve": serveInBackground, "status": exitStatus,
			"ask": askWithKey, "envfile": variableOfFile,
		},
	})
}

// programFolder has the program: the one that MLIDS_BINARY names, or one built for this test when the race detector makes the
// test itself several times slower. It is "" when the test's own binary will do.
func programFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "mlids")
	switch path := os.Getenv("MLIDS_BINARY"); {
	case path != "":
		if err := os.Symlink(path, program); err != nil {
			t.Fatal(err)
		}
	case testdata.Race:
		build := exec.Command("go", "build", "-o", program, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
	default:
		return ""
	}
	return dir
}

// flowTable writes N labelled rows of cicflow/common: "flowtable N FILE". Attacks are short and fast, but for one in ten.
// "flowtable N FILE odd" writes benign rows that are larger than any of these.
func flowTable(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	catalogue, err := feature.Schemas()
	ts.Check(err)
	schema, err := catalogue.Find("cicflow/common")
	ts.Check(err)
	rng := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	for _, c := range schema.Columns {
		text.WriteString(c.Header + ",")
	}
	text.WriteString("Label\n")
	for i := range n {
		label, scale := "BENIGN", 1000.0
		if i%3 == 0 {
			label = "DoS Hulk"
		}
		if i%21 == 0 {
			label = "DDoS"
		}
		if i%3 == 0 && i%10 != 0 {
			scale = 10
		}
		if len(args) > 2 {
			label, scale = "BENIGN", 1e7
		}
		for _, c := range schema.Columns {
			if c.Kind == feature.Text || c.Kind == feature.Time {
				text.WriteString("x,")
				continue
			}
			fmt.Fprintf(&text, "%.3f,", scale*(1+rng.Float64()))
		}
		text.WriteString(label + "\n")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text.String()), 0o600))
}

// exitStatus runs a command that must end with an exit code: "status 2 mlids …".
func exitStatus(ts *testscript.TestScript, _ bool, args []string) {
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); !errors.As(err, &exit) || strconv.Itoa(exit.ExitCode()) != args[0] {
		ts.Fatalf("%v ended with %v, want exit code %s", args[1:], err, args[0])
	}
}

// packetCapture writes a capture of N refused connections: "capture N FILE".
func packetCapture(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), refusedConnections(n), 0o600))
}

// refusedConnections is a capture of n SYN packets, each answered with RST.
func refusedConnections(n int) []byte {
	file := []byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0} // microseconds, raw IP
	for i := range n {
		syn := segment(10, 20, uint16(40000+i%1000), uint16(1+i), 0x02)
		rst := segment(20, 10, uint16(1+i), uint16(40000+i%1000), 0x14)
		for k, packet := range [][]byte{syn, rst} {
			file = binary.LittleEndian.AppendUint32(file, 1_600_000_000)
			file = binary.LittleEndian.AppendUint32(file, uint32(100*i+k))
			file = binary.LittleEndian.AppendUint32(file, uint32(len(packet)))
			file = binary.LittleEndian.AppendUint32(file, uint32(len(packet)))
			file = append(file, packet...)
		}
	}
	return file
}

// segment is a TCP segment without payload between 10.0.0.src and 10.0.0.dst.
func segment(src, dst byte, sport, dport uint16, flags byte) []byte {
	ip := []byte{0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, src, 10, 0, 0, dst}
	tcp := binary.BigEndian.AppendUint16(nil, sport)
	tcp = binary.BigEndian.AppendUint16(tcp, dport)
	return append(ip, append(tcp, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0x04, 0, 0, 0, 0, 0)...)
}

// serveInBackground starts "mlids serve" with the arguments given on a free port, puts its address in $URL and $SERVED_PORT, and stops it
// when the script ends.
func serveInBackground(ts *testscript.TestScript, _ bool, args []string) {
	ctx, stop := context.WithCancel(context.Background())
	r, w := io.Pipe()
	done := make(chan int, 1)
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--data-dir", ts.MkAbs("state")}, args...)
	for i, a := range args {
		if strings.HasSuffix(a, ".onnx") {
			args[i] = ts.MkAbs(a)
		}
	}
	go func() {
		done <- run(ctx, args, streams{strings.NewReader(""), io.Discard, w})
		w.Close()
	}()
	ts.Defer(func() {
		stop()
		if code := <-done; code != exitDone {
			ts.Fatalf("serve ended with exit code %d", code)
		}
	})
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		ts.Logf("serve: %s", lines.Text())
		if _, rest, ok := strings.Cut(lines.Text(), "serves on "); ok {
			url := strings.Fields(rest)[0]
			ts.Setenv("URL", url)
			ts.Setenv("SERVED_PORT", url[strings.LastIndexByte(url, ':')+1:])
			go io.Copy(io.Discard, r)
			return
		}
	}
	ts.Fatalf("serve did not start")
}
