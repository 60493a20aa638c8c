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
	wholeWindow      = 0.005 // how far a printed share may be off
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

// TestDataKeepTheRules checks what rules.go and docs/kdd99.md say of the data against the data: how shares are computed
// and printed, which flags are failures, what diff rates count, how large windows are.
func TestDataKeepTheRules(t *testing.T) {
	shares := map[int]map[string]bool{}
	var rows, firsts, unlike, wide, alone, wrongAlone int
	dataRows(t, func(line int, f []string) {
		rows++
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
		if union := float64(hosts+services) - num(t, f[hostRateColumn])*float64(hosts); union > hostMax+float64(hosts)*wholeWindow+1e-6 {
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

// TestDiffRatesOfData checks that diff rates count kinds: of two or three connections each possible mixture has another
// value than a share of connections would.
func TestDiffRatesOfData(t *testing.T) {
	want := map[string]bool{
		"2 0.50 1.00": true, "2 1.00 0.00": true, "3 0.33 0.67": true, "3 0.33 1.00": true, "3 0.67 0.67": true, "3 1.00 0.00": true,
	}
	dataRows(t, func(line int, f []string) {
		for _, at := range [][3]int{{countColumn, rateColumn + 4, rateColumn + 5}, {hostCountColumn, hostRateColumn, hostRateColumn + 1}} {
			if n := f[at[0]]; (n == "2" || n == "3") && !want[n+" "+f[at[1]]+" "+f[at[2]]] {
				t.Errorf("line %d: of %s connections same_srv_rate is %s and diff_srv_rate %s", line, n, f[at[1]], f[at[2]])
			}
		}
	})
}

// TestDataByProtocol checks what is said of ICMP and UDP.
func TestDataByProtocol(t *testing.T) {
	dataRows(t, func(line int, f []string) {
		switch f[protocolColumn] {
		case "icmp":
			if f[0] != "0" || f[5] != "0" || f[flagColumn] != "SF" {
				t.Errorf("line %d: an ICMP message has duration %s, dst_bytes %s, flag %s", line, f[0], f[5], f[flagColumn])
			}
		case "udp":
			if s := f[serviceColumn]; f[flagColumn] != "SF" || !slices.Contains([]string{"domain_u", "ntp_u", "tftp_u", "private", "other"}, s) {
				t.Errorf("line %d: UDP has flag %s, service %s", line, f[flagColumn], s)
			}
		}
	})
}
