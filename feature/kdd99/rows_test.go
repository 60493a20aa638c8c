package kdd99

import (
	"bufio"
	"compress/gzip"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mlids/internal/testdata"
)

// Where columns stand in the data.
const (
	countColumn      = 22
	srvCountColumn   = 23
	rateColumn       = 24
	hostCountColumn  = 31
	hostSrvColumn    = 32
	hostRateColumn   = 33
	dataColumns      = 42
	rounding         = 0.005 // how far a printed share may be off
	firstConnections = 3     // rows whose host window is 0 throughout: the first of each of the files that were joined
)

// dataRows hands out the rows of kddcup.data_10_percent, every tenth of them in a short test.
func dataRows(t *testing.T, each func(line int, fields []string)) {
	t.Helper()
	f, err := os.Open(testdata.Path(t, "kdd99", "kddcup.data_10_percent.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	line := 0
	for s := bufio.NewScanner(z); s.Scan(); {
		if line++; testing.Short() && line%10 != 0 {
			continue
		}
		fields := strings.Split(s.Text(), ",")
		if len(fields) != dataColumns {
			t.Fatalf("line %d has %d fields", line, len(fields))
		}
		each(line, fields)
	}
}

func num(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestDataKeepTheRulesFullSize checks what rules.go and docs/kdd99.md say of the data against the data: how shares are computed
// and printed, which flags are failures, what diff rates count, how large windows are, what ICMP and UDP look like.
func TestDataKeepTheRulesFullSize(t *testing.T) {
	testdata.FullSize(t)
	shares := map[int]map[string]bool{}
	var rows, firsts, unlike, wide, alone, wrongAlone int
	dataRows(t, func(line int, f []string) {
		rows++
		checkKinds(t, line, f)
		checkProtocol(t, line, f)
		count, hosts, services := int(num(t, f[countColumn])), int(num(t, f[hostCountColumn])), int(num(t, f[hostSrvColumn]))
		if hosts == 0 {
			firsts++
			return
		}
		for _, w := range [][3]int{
			{rateColumn, count, 0}, {rateColumn + 4, count, 0}, {rateColumn + 5, count, 0}, {hostRateColumn, hosts, 0},
			{hostRateColumn + 1, hosts, 0}, {hostRateColumn + 2, hosts, 0},
		} {
			if !printable(shares, w[1], f[w[0]]) {
				unlike++
				t.Logf("line %d: field %d is %s, no share of %d", line, w[0]+1, f[w[0]], w[1])
			}
		}
		if tooWide(hosts, services, num(t, f[hostRateColumn]), hostMax) ||
			tooWide(count, int(num(t, f[srvCountColumn])), num(t, f[rateColumn+4]), countMax) {
			wide++
		}
		if count == 1 {
			alone++
			if !failsLike(f) {
				wrongAlone++
			}
		}
	})
	t.Logf("%d rows: %d first connections, %d odd shares, %d wide windows, %d of %d lone connections fail otherwise",
		rows, firsts, unlike, wide, wrongAlone, alone)
	if firsts > firstConnections || unlike > 0 || wide > 0 || wrongAlone > 0 || rows < 49_000 {
		t.Error("the data do not keep the rules")
	}
}

// tooWide reports whether a window must hold more than most connections: those to the host and those of the service,
// less those that are both.
func tooWide(host, service int, same float64, most int) bool {
	return float64(host+service)-same*float64(host) > float64(most)+float64(host)*rounding+1e-6
}

// printable reports whether a share of a count can be printed so.
func printable(known map[int]map[string]bool, of int, text string) bool {
	set := known[of]
	if set == nil {
		set = map[string]bool{}
		for n := range of + 1 {
			v := math.RoundToEven(float64(rate(n, of))*100) / 100
			set[strconv.FormatFloat(v, 'f', 2, 64)] = true
		}
		known[of] = set
	}
	return set[text] || of == 0 && text == "0.00"
}

// failsLike reports whether the error rates of a row that is alone in its window are those of its own flag.
func failsLike(f []string) bool {
	syn, rej := "0.00", "0.00"
	switch failureOf(Flag(slices.Index(flagNames[:], f[flagColumn])), false) {
	case synError:
		syn = "1.00"
	case rejError:
		rej = "1.00"
	}
	return f[rateColumn] == syn && f[rateColumn+2] == rej
}

// mixtures are the same_srv_rate and diff_srv_rate that two or three connections can have when diff rates count kinds.
var mixtures = map[string]bool{
	"2 0.50 1.00": true, "2 1.00 0.00": true,
	"3 0.33 0.67": true, "3 0.33 1.00": true, "3 0.67 0.67": true, "3 1.00 0.00": true,
}

func checkKinds(t *testing.T, line int, f []string) {
	t.Helper()
	for _, at := range [][2]int{{countColumn, rateColumn + 4}, {hostCountColumn, hostRateColumn}} {
		if n := f[at[0]]; (n == "2" || n == "3") && !mixtures[n+" "+f[at[1]]+" "+f[at[1]+1]] {
			t.Errorf("line %d: of %s connections same_srv_rate is %s and diff_srv_rate %s", line, n, f[at[1]], f[at[1]+1])
		}
	}
}

var udpServices = []string{"domain_u", "ntp_u", "tftp_u", "private", "other"}

func checkProtocol(t *testing.T, line int, f []string) {
	t.Helper()
	switch f[protocolColumn] {
	case "icmp":
		if f[0] != "0" || f[5] != "0" || f[flagColumn] != "SF" {
			t.Errorf("line %d: an ICMP message has duration %s, dst_bytes %s, flag %s", line, f[0], f[5], f[flagColumn])
		}
	case "udp":
		if f[flagColumn] != "SF" || !slices.Contains(udpServices, f[serviceColumn]) {
			t.Errorf("line %d: UDP has flag %s, service %s", line, f[flagColumn], f[serviceColumn])
		}
	}
}
