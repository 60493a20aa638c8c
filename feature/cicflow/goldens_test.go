package cicflow

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mlids/internal/testdata"
)

// reference is one tool's printout of captures and what is known to differ.
type reference struct {
	name    string
	schema  string
	layout  string // of its times
	shift   time.Duration
	files   [][2]string       // capture, printout
	rows    int               // printed
	missing int               // of them not among ours
	lacks   string            // what those are
	differs map[string]string // columns that are not equal everywhere, and why
}

const (
	iso   = "2006-01-02 15:04:05.000000"
	noAM  = "02/01/2006 03:04:05"
	am    = "02/01/2006 03:04:05 PM"
	later = "a later release of the tool"
)

// goldenFiles pairs the captures that both references were run over with the printouts of one.
func goldenFiles(dir string) [][2]string {
	files := [][2]string{{"golden/mix20k.pcap.gz", "golden/" + dir + "/mix20k.pcap.csv.gz"}}
	for _, c := range []string{
		"chrissanders/dns.cap", "chrissanders/ftp-uploadfailed.pcap", "mikelhpdatke/normal.pcap", "mufeng121/nmap.pcap",
		"zeek-btest/bruteforce.pcap", "zeek-btest/ssh.pcap", "zeek-btest/wikipedia.pcap",
	} {
		files = append(files, [2]string{"pcap/" + c, "golden/" + dir + "/" + strings.ReplaceAll(c, "/", "_") + ".csv"})
	}
	return files
}

func references() []reference {
	slowloris := map[string]string{
		"flow_id":      later + " names the source first",
		"syn_flag_cnt": later + " counts flags over all packets, under their own names",
		"psh_flag_cnt": later + " counts flags over all packets, under their own names",
		"ack_flag_cnt": later + " counts flags over all packets, under their own names",
	}
	for _, c := range []string{"bwd_pkts_b_avg", "bwd_blk_rate_avg"} {
		slowloris[c] = later + " fills the bulk columns"
	}
	for _, c := range []string{"subflow_fwd_pkts", "subflow_fwd_byts", "subflow_bwd_pkts"} {
		slowloris[c] = later + " divides by the number of packets as if each were a subflow"
	}
	for _, c := range []string{"mean", "std", "max", "min"} {
		slowloris["active_"+c] = later + " prints 0"
		slowloris["idle_"+c] = later + " stores clock values"
	}
	return []reference{
		{
			name: "corrected CICFlowMeter (Engelen, Liu et al.)", schema: "cicflow/v4", layout: iso,
			files: goldenFiles("cicflowmeter-corrected"), rows: 1975,
		}, {
			name: "CICFlowMeter of February 2018", schema: "cicflow/2018", layout: noAM,
			files: goldenFiles("cicflowmeter-2018"), rows: 2324, missing: 1,
			lacks: "one row of six ARP frames in wikipedia.pcap, which the tool takes for IPv4 between 8.0.6.4 and 8.6.0.1",
		}, {
			name: "CICFlowMeter, headers of 2018", schema: "cicflow/2018", layout: noAM, shift: 3 * time.Hour, rows: 96,
			files: [][2]string{{"golden/cicflowmeter-original/test_copy.pcap", "golden/cicflowmeter-original/out_test_copy.csv"}},
		}, {
			name: "CICFlowMeter, headers of 2017", schema: "cicflow/2018", layout: noAM, shift: 3 * time.Hour, rows: 96,
			files: [][2]string{{"golden/cicflowmeter-original/test_copy.pcap", "golden/cicflowmeter-original/outtest.csv"}},
		}, {
			name: "CICFlowMeter 4.0 (slowloris)", schema: "cicflow/2018", layout: am, shift: 4 * time.Hour, rows: 300,
			files:   [][2]string{{"golden/kihy-pcap_data/slowloris.pcap", "golden/kihy-pcap_data/slowloris.pcap_Flow.csv"}},
			differs: slowloris,
		},
	}
}

// TestGoldens compares every cell that the references printed.
func TestGoldens(t *testing.T) {
	var doc strings.Builder
	for _, ref := range references() {
		t.Run(ref.name, func(t *testing.T) {
			s := schema(t, ref.schema)
			var sum tally
			for _, f := range ref.files {
				want := readGolden(t, s, testdata.Path(t, f[1]), ref.layout, ref.shift)
				var got []goldenRow
				for _, r := range extract(t, Config{Schema: s}, testdata.Path(t, f[0]), false) {
					got = append(got, ourRow(s, &r, ref.layout))
				}
				sum.compare(t, s, f[0], got, want)
			}
			if sum.rows+len(sum.missing) != ref.rows || len(sum.missing) != ref.missing || len(sum.extra) != 0 {
				t.Errorf("%d rows matched, missing are %q, too many %q", sum.rows, sum.missing, sum.extra)
			}
			for i, c := range s.Columns {
				_, known := ref.differs[c.Name]
				if equal := sum.equal[i] == sum.rows; equal == known {
					t.Errorf("%s: %d of %d cells are equal, known to differ: %v", c.Name, sum.equal[i], sum.rows, known)
				}
			}
			doc.WriteString(sum.markdown(ref))
		})
	}
	if *write && !t.Failed() {
		writeGoldens(t, doc.String())
	}
}

// markdown is the table of one reference: columns that are equal everywhere in one line, the others one by one.
func (t *tally) markdown(ref reference) string {
	var b strings.Builder
	cells, equal := t.rows*len(t.equal), 0
	for _, n := range t.equal {
		equal += n
	}
	fmt.Fprintf(&b, "\n### %s — `%s`\n\n", ref.name, ref.schema)
	fmt.Fprintf(&b, "%d rows printed, %d matched, %d of %d cells equal.", ref.rows, t.rows, equal, cells)
	if ref.lacks != "" {
		fmt.Fprintf(&b, " Not matched: %s.", ref.lacks)
	}
	b.WriteString("\n\n")
	b.WriteString("| column | equal cells | cells | why not all |\n|---|---|---|---|\n")
	for i, c := range t.schema.Columns {
		fmt.Fprintf(&b, "| %s | %d | %d | %s |\n", c.Name, t.equal[i], t.rows, ref.differs[c.Name])
	}
	return b.String()
}

const (
	goldensBegin = "<!-- cicflow: written by go test ./feature/cicflow -run Goldens -write-goldens -->\n"
	goldensEnd   = "<!-- end of cicflow -->\n"
)

// writeGoldens replaces this package's part of docs/goldens.md.
func writeGoldens(t *testing.T, tables string) {
	t.Helper()
	path := filepath.Join("..", "..", "docs", "goldens.md")
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(old), goldensBegin)
	_, after, _ := strings.Cut(rest, goldensEnd)
	if !found && before == "" {
		before = "# Comparisons with other tools' printouts\n\n"
	}
	text := before + goldensBegin + "## cicflow\n" + tables + "\n" + goldensEnd + after
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestGoldensRepeat: two runs give the same rows in the same order, though hashes differ from run to run.
func TestGoldensRepeat(t *testing.T) {
	for _, id := range []string{"cicflow/v4", "cicflow/2018", "cicflow/common"} {
		s := schema(t, id)
		a := extract(t, Config{Schema: s}, testdata.Path(t, "golden", "mix20k.pcap.gz"), true)
		b := extract(t, Config{Schema: s}, testdata.Path(t, "golden", "mix20k.pcap.gz"), true)
		same := slices.EqualFunc(a, b, func(x, y Row) bool {
			return x.Key == y.Key && x.First == y.First && fmt.Sprint(x.Values) == fmt.Sprint(y.Values)
		})
		if !same {
			t.Errorf("%s: two runs differ", id)
		}
	}
}
