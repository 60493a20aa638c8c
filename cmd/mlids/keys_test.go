package main

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// askWithKey asks until the answer has a status, for a second at most: "ask STATUS URL [FILE with a key]". /predict is asked by POST.
func askWithKey(ts *testscript.TestScript, _ bool, args []string) {
	key := ""
	if len(args) > 2 {
		key = strings.TrimSpace(ts.ReadFile(args[2]))
	}
	var got int
	pause := time.NewTicker(20 * time.Millisecond) // below the rates of all keys
	defer pause.Stop()
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); {
		if got = statusWithKey(ts, args[1], key); strconv.Itoa(got) == args[0] {
			return
		}
		<-pause.C
	}
	ts.Fatalf("%s: %d, want %s within a second", args[1], got, args[0])
}

// variableOfFile sets a variable to what a file holds: "envfile NAME FILE".
func variableOfFile(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}

func statusWithKey(ts *testscript.TestScript, url, key string) int {
	method := http.MethodGet
	if strings.HasSuffix(url, "/predict") {
		method = http.MethodPost
	}
	req, err := http.NewRequest(method, url, http.NoBody)
	ts.Check(err)
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	ts.Check(err)
	return res.StatusCode
}
