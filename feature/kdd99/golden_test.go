package kdd99

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mlids"
	"mlids/feature"
	"mlids/internal/testdata"
)

// fields reads a golden file: one connection per line, fields parted by blanks.
func fields(tb testing.TB, path string) [][]string {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var rows [][]string
	for s := bufio.NewScanner(f); s.Scan(); {
		rows = append(rows, strings.Fields(s.Text()))
	}
	return rows
}

// Where the fields of the golden files stand.
const (
	goldenStart = 1 + iota
	goldenSrcPort
	goldenDstPort
	goldenSrc
	goldenDst
	goldenDuration
	goldenProtocol
	goldenService
	goldenFlag
	goldenSrcBytes
	goldenFirstWindow = 28
)

// goldenEntry is a connection of a golden file as the history has it. The services of that file are ports, or types of
// ICMP; names numbers them.
func goldenEntry(tb testing.TB, names map[string]Service, row []string) entry {
	tb.Helper()
	number := func(i int) uint32 {
		n, err := strconv.ParseUint(row[i], 10, 16)
		if err != nil {
			tb.Fatal(err)
		}
		return uint32(n)
	}
	e := entry{time: goldenTime(tb, row[goldenStart]), service: number(goldenDstPort), srcPort: uint16(number(goldenSrcPort))}
	for _, c := range []byte(row[goldenDst]) {
		e.host = e.host*257 + uint64(c)
	}
	name, known := names[row[goldenService]]
	if !known {
		name = Whois + 1 + Service(len(names)) // none of them is the service other
		names[row[goldenService]] = name
	}
	e.name = name
	e.failure = failureOf(Flag(max(slices.Index(flagNames[:], row[goldenFlag]), 0)), true)
	return e
}

// goldenTime reads seconds with six decimals.
func goldenTime(tb testing.TB, text string) int64 {
	tb.Helper()
	whole, part, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole+part, 10, 64)
	if err != nil || len(part) != 6 {
		tb.Fatalf("time %q: %v", text, err)
	}
	return n * 1000
}

// TestWindowsOfGure replays the connections of conn_sort.list and compares all window columns with trafAld.list.
func TestWindowsOfGure(t *testing.T) {
	in := fields(t, testdata.Path(t, "golden", "kdd-mikelhpdatke", "conn_sort.list"))
	want := fields(t, testdata.Path(t, "golden", "kdd-mikelhpdatke", "trafAld.list"))
	h, c := newHistory(1024), &gure{ratchet: true} // the list is in order of connection numbers
	names := map[string]Service{}
	equal, total := 0, 0
	for i, row := range in {
		w := c.windows(h, h.add(goldenEntry(t, names, row)))
		for j, got := range w.texts() {
			total++
			if got == want[i][goldenFirstWindow+j] {
				equal++
			} else {
				t.Logf("row %d, window column %d: got %s, want %s", i+1, j, got, want[i][goldenFirstWindow+j])
			}
		}
	}
	t.Logf("%d of %d cells are equal", equal, total)
	if equal != total || total != 399*19 {
		t.Errorf("%d of %d cells are equal, want all of %d", equal, total, 399*19)
	}
}

// texts prints windows as gureKddcup's program does.
func (w *Windows) texts() []string {
	list := []string{whole(w.Count), whole(w.SrvCount)}
	for i, r := range w.Rates {
		if i == hostSameSrvRate {
			list = append(list, whole(w.HostCount), whole(w.HostSrvCount))
		}
		list = append(list, fmt.Sprintf("%.6f", r))
	}
	return list
}

func whole(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// basicColumns are those that conn.list holds, with the number of equal cells among the 1,000 connections of nmap.pcap.
var basicColumns = []struct {
	name  string
	field int
	equal int
}{
	{"start", goldenStart, 1000},
	{"duration", goldenDuration, 1000},
	{"protocol_type", goldenProtocol, 1000},
	{"service", goldenService, 990}, // the others have names in the data that the reference does not know: auth, IRC …
	{"flag", goldenFlag, 1000},
	{"src_bytes", goldenSrcBytes, 1000},
	{"dst_bytes", goldenSrcBytes + 1, 1000},
	{"land", goldenSrcBytes + 2, 1000},
	{"wrong_fragment", goldenSrcBytes + 3, 1000},
	{"urgent", goldenSrcBytes + 4, 1000},
	{"hot", goldenSrcBytes + 5, 1000},
	{"num_failed_logins", goldenSrcBytes + 6, 1000},
	{"logged_in", goldenSrcBytes + 7, 1000},
	{"num_compromised", goldenSrcBytes + 8, 1000},
	{"root_shell", goldenSrcBytes + 9, 1000},
	{"su_attempted", goldenSrcBytes + 10, 1000},
	{"num_root", goldenSrcBytes + 11, 1000},
	{"num_file_creations", goldenSrcBytes + 12, 1000},
	{"num_shells", goldenSrcBytes + 13, 1000},
	{"num_access_files", goldenSrcBytes + 14, 1000},
	{"num_outbound_cmds", goldenSrcBytes + 15, 1000},
	{"is_host_login", goldenSrcBytes + 16, 1000},
	{"is_guest_login", goldenSrcBytes + 17, 1000},
}

// TestBasicColumnsOfGure compares the connections of a port scan with those of conn.list.
func TestBasicColumnsOfGure(t *testing.T) {
	golden := fields(t, testdata.Path(t, "golden", "kdd-mufeng121", "conn.list"))
	path := testdata.Path(t, "pcap", "mufeng121", "nmap.pcap")
	rows := extract(t, Config{Rules: Gure()}, func(each func(*mlids.Packet)) { readPackets(t, path, true, each) })
	want := map[string][]string{}
	for _, row := range golden {
		want[row[goldenSrc]+" "+row[goldenSrcPort]+" "+row[goldenDst]+" "+row[goldenDstPort]] = row
	}
	schema := schema(t)
	equal := make([]int, len(basicColumns))
	found := 0
	for i := range rows {
		r := &rows[i]
		w, ok := want[fmt.Sprint(r.Key.Src, " ", r.Key.SrcPort, " ", r.Key.Dst, " ", r.Key.DstPort)]
		if !ok || w[goldenProtocol] != "tcp" || r.Key.Proto != mlids.ProtoTCP {
			continue
		}
		found++
		for j, c := range basicColumns {
			got := goldenText(schema, r, c.name)
			if got == w[c.field] {
				equal[j]++
			} else {
				t.Logf("%s:%d → :%d: %s is %s, want %s", r.Key.Src, r.Key.SrcPort, r.Key.DstPort, c.name, got, w[c.field])
			}
		}
	}
	t.Logf("%d rows, %d of %d golden connections", len(rows), found, len(golden))
	for j, c := range basicColumns {
		if equal[j] != c.equal {
			t.Errorf("%s: %d cells are equal, want %d", c.name, equal[j], c.equal)
		}
	}
}

// goldenText prints a column as conn.list has it. Its clocks are six hours early.
func goldenText(s *feature.Schema, r *Row, column string) string {
	if column == "start" {
		return fmt.Sprintf("%.6f", float64(r.First/1000-21_600e6)/1e6)
	}
	i, _ := s.Index(column)
	return string(r.AppendValue(nil, i))
}
