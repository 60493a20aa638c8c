package influx_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"mlids/dataset/influx"
)

// later is a small InfluxDB 2 or 3, as far as their documentation says what they answer: /api/v2/write takes line protocol
// (204, or a JSON object with code and message), /query takes InfluxQL with the bucket as db and answers in JSON. One
// measurement, one tag.
type later struct {
	sync.Mutex
	points map[int64]map[string]any // by time
}

func (l *later) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.Lock()
	defer l.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.Header.Get("Authorization") != "Token hush":
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"code":"unauthorized","message":"unauthorized access"}`)
	case r.URL.Path == "/api/v2/write" && r.Method == http.MethodPost:
		l.write(w, r)
	case r.URL.Path == "/query" && r.Method == http.MethodGet && r.FormValue("db") == "flows":
		l.query(w, r.FormValue("q"))
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"code":"not found","message":"path not found"}`)
	}
}

func (l *later) write(w http.ResponseWriter, r *http.Request) {
	if q := r.URL.Query(); q.Get("bucket") != "flows" || q.Get("precision") != "ns" {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"code":"not found","message":"bucket \"`+q.Get("bucket")+`\" not found"}`)
		return
	}
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		head, rest, _ := strings.Cut(lines.Text(), " ") // no field of the test has a space
		fields, stamp, _ := strings.Cut(rest, " ")
		point := map[string]any{}
		if _, tag, ok := strings.Cut(head, ","); ok {
			key, value, _ := strings.Cut(tag, "=")
			point[key] = value
		}
		for field := range strings.SplitSeq(fields, ",") {
			key, value, _ := strings.Cut(field, "=")
			if number, err := strconv.ParseFloat(value, 64); err == nil {
				point[key] = number
			} else {
				point[key] = strings.Trim(value, `"`)
			}
		}
		time, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"code":"invalid","message":"bad timestamp %s"}`, stamp)
			return
		}
		l.points[time] = point
	}
	w.WriteHeader(http.StatusNoContent)
}

func (l *later) query(w io.Writer, q string) {
	names := map[string]bool{}
	for _, p := range l.points {
		for name := range p {
			names[name] = true
		}
	}
	columns := slices.Sorted(maps.Keys(names))
	series := func(columns string, values []string) {
		fmt.Fprintf(w, `{"results":[{"statement_id":0,"series":[{"name":"m","columns":[%s],"values":[%s]}]}]}`+"\n",
			columns, strings.Join(values, ","))
	}
	switch {
	case len(l.points) == 0:
		fmt.Fprintln(w, `{"results":[{"statement_id":0}]}`)
	case strings.HasPrefix(q, "SHOW FIELD KEYS"):
		var keys []string
		for _, name := range columns {
			if name != "attack_type" {
				keys = append(keys, fmt.Sprintf(`[%q,"float"]`, name))
			}
		}
		series(`"fieldKey","fieldType"`, keys)
	case strings.HasPrefix(q, "SELECT COUNT("):
		series(`"time","count"`, []string{fmt.Sprintf("[0,%d]", len(l.points))})
	default:
		var rows []string
		for _, time := range slices.Sorted(maps.Keys(l.points)) {
			row := strconv.FormatInt(time, 10)
			for _, name := range columns {
				switch v := l.points[time][name].(type) {
				case nil:
					row += ",null"
				case string:
					row += "," + strconv.Quote(v)
				default:
					row += fmt.Sprintf(",%v", v)
				}
			}
			rows = append(rows, "["+row+"]")
		}
		series(`"time","`+strings.Join(columns, `","`)+`"`, rows)
	}
}

func TestLaterVersions(t *testing.T) {
	fake := httptest.NewServer(&later{points: map[int64]map[string]any{}})
	defer fake.Close()
	base := strings.Replace(fake.URL, "http", "influxdb", 1)
	table := csvTable(t, strings.NewReplacer(`"no,\""such"`, "http", "buffer overflow, long=1", "smurf").Replace(text(t, small(t))))
	for _, at := range []string{base + "/?org=o&bucket=flows&token=hush&measurement=m", base + "/flows?token=hush&measurement=m"} {
		w, err := client(t, at+"&start=2026-01-31").Write(t.Context(), table, nil)
		if err != nil || w.Counted != 3 {
			t.Fatalf("%+v, %v", w, err)
		}
		back, err := client(t, at).Read(t.Context(), table.Schema, everything)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := text(t, back), text(t, table); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	_, err := client(t, base+"/?bucket=flows&token=wrong&measurement=m").Write(t.Context(), table, nil)
	wantError(t, err, influx.ErrAccess, "unauthorized access")
	_, err = client(t, base+"/?bucket=nosuch&token=hush&measurement=m").Write(t.Context(), table, nil)
	wantError(t, err, influx.ErrServer, `bucket "nosuch" not found`)
}
