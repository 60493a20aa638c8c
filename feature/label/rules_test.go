package label_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"mlids"
	"mlids/feature/label"
)

func key(src string, sport uint16, dst string, dport uint16, proto uint8) mlids.FlowKey {
	return mlids.FlowKey{Src: mlids.Addr(netip.MustParseAddr(src).As16()), Dst: mlids.Addr(netip.MustParseAddr(dst).As16()), SrcPort: sport, DstPort: dport, Proto: proto}
}

func TestFind(t *testing.T) {
	const file = `flow_id,src_ip,dst_ip,dst_port,protocol,start,end,label
10.0.0.1-10.0.0.2-1000-80-6,,,,,,,web
,10.0.0.0/24,10.0.0.9,,,2020-01-01T00:00:00Z,2020-01-01T00:00:10Z,scan
,*,,53,udp,,,dns
,2001:db8::1,2001:db8::2,,,1577836800,1577836800.5,six
,,,,,2020-01-02 00:00:00,,late
`
	rules, err := label.Read(strings.NewReader(file), "labels.csv")
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	second := int64(time.Second)
	for _, test := range []struct {
		name  string
		key   mlids.FlowKey
		first int64
		want  string
	}{
		{"by id", key("10.0.0.1", 1000, "10.0.0.2", 80, 6), 0, "web"},
		{"by id, other direction", key("10.0.0.2", 80, "10.0.0.1", 1000, 6), 0, "web"},
		{"another port", key("10.0.0.1", 1001, "10.0.0.2", 80, 6), 0, ""},
		{"prefix, in time", key("10.0.0.77", 1, "10.0.0.9", 2, 17), day + 5*second, "scan"},
		{"last second counts whole", key("10.0.0.77", 1, "10.0.0.9", 2, 17), day + 10*second + 999, "scan"},
		{"too late", key("10.0.0.77", 1, "10.0.0.9", 2, 17), day + 11*second, ""},
		{"outside prefix", key("10.0.1.77", 1, "10.0.0.9", 2, 17), day, ""},
		{"port and protocol", key("1.1.1.1", 9, "2.2.2.2", 53, 17), 0, "dns"},
		{"other protocol", key("1.1.1.1", 9, "2.2.2.2", 53, 6), 0, ""},
		{"first rule wins", key("10.0.0.3", 9, "10.0.0.9", 53, 17), day, "scan"},
		{"version 6, epoch", key("2001:db8::2", 1, "2001:db8::1", 2, 6), day + second/2, "six"},
		{"only time", key("9.9.9.9", 1, "8.8.8.8", 2, 6), day + 86400*second, "late"},
	} {
		got, ok := rules.Find(test.key, test.first)
		if got != test.want || ok != (test.want != "") {
			t.Errorf("%s: got %q (%v), want %q", test.name, got, ok, test.want)
		}
	}
	if got := strings.Join(rules.Labels(), " "); got != "web scan dns six late" {
		t.Errorf("labels %s", got)
	}
}

// A labelled table of flows, as CICFlowMeter prints it, is a label file.
func TestFlowsAreLabels(t *testing.T) {
	const file = "Flow ID,Src IP,Src Port,Dst IP,Dst Port,Protocol,Timestamp,Flow Duration,Label\n" +
		"192.168.10.17-192.168.10.3-7769-53-17,192.168.10.17,7769,192.168.10.3,53,17,2017-07-03 11:57:41.826651,251,BENIGN\n" +
		"192.168.10.17-192.168.10.3-7769-53-17,192.168.10.17,7769,192.168.10.3,53,17,03/07/2017 11:58:00,9,Bot\n"
	rules, err := label.Read(strings.NewReader(file), "flows.csv")
	if err != nil {
		t.Fatal(err)
	}
	k := key("192.168.10.17", 7769, "192.168.10.3", 53, 17)
	at := time.Date(2017, 7, 3, 11, 57, 41, 826651000, time.UTC)
	if got, _ := rules.Find(k, at.UnixNano()); got != "BENIGN" {
		t.Errorf("got %q, want BENIGN", got)
	}
	if got, ok := rules.Find(k, at.Add(time.Microsecond).UnixNano()); ok {
		t.Errorf("a microsecond later is %q", got)
	}
	if got, _ := rules.Find(k, time.Date(2017, 7, 3, 11, 58, 0, 5e8, time.UTC).UnixNano()); got != "Bot" {
		t.Errorf("got %q, want Bot", got)
	}
}

// A rule for ever is one, though nanoseconds end in 2262; one whose end comes before its start is a slip.
func TestForEver(t *testing.T) {
	k := key("1.1.1.1", 1, "2.2.2.2", 2, 6)
	for _, span := range []string{
		"2020-01-01T00:00:00Z,9999-12-31T23:59:59Z", "0001-01-01 00:00:00,31/12/2999 23:59:59", ",9999-12-31 23:59:59", "-9000000000,9000000000",
	} {
		rules, err := label.Read(strings.NewReader("src_ip,start,end,label\n1.1.1.1,"+span+",x\n"), "l.csv")
		if err != nil {
			t.Errorf("%s: %v", span, err)
			continue
		}
		if got, _ := rules.Find(k, time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC).UnixNano()); got != "x" {
			t.Errorf("%s: a flow of 2024 has the label %q", span, got)
		}
	}
	for _, span := range []string{"2024-01-02 00:00:00,2024-01-01 00:00:00", "9999-01-01 00:00:00,2024-01-01 00:00:00", "9999999999,"} {
		if _, err := label.Read(strings.NewReader("src_ip,start,end,label\n1.1.1.1,"+span+",x\n"), "l.csv"); !errors.Is(err, label.ErrValue) {
			t.Errorf("%s: %v, want ErrValue", span, err)
		}
	}
}

// Columns that choose no flows may stand beside those that do.
func TestRemarks(t *testing.T) {
	for _, header := range []string{
		"id,src_ip,Total Fwd Packet,FIN Flag Cnt,Label,Attempted Category", ",src_ip,Comment,Attack Type,label,end_reason", "src_ip,label,",
	} {
		fields := strings.Repeat("x,", strings.Count(header, ","))
		row := strings.Split(fields+"x", ",")
		row[slices.Index(strings.Split(header, ","), "src_ip")] = "1.1.1.1"
		rules, err := label.Read(strings.NewReader(header+"\n"+strings.Join(row, ",")+"\n"), "l.csv")
		if err != nil {
			t.Errorf("%s: %v", header, err)
			continue
		}
		if got, _ := rules.Find(key("1.1.1.1", 1, "2.2.2.2", 2, 6), 0); got != "x" {
			t.Errorf("%s: label %q", header, got)
		}
	}
}

func TestBadFiles(t *testing.T) {
	for name, test := range map[string]struct {
		file, says string
		want       error
	}{
		"empty":        {"", "no header", label.ErrColumns},
		"no label":     {"src_ip\n1.1.1.1\n", "no column label", label.ErrColumns},
		"misspelt":     {"srcip,label\n1.1.1.1,x\n", `column 1, "srcip", is none`, label.ErrColumns},
		"one misspelt": {"src_ip,dst_prot,label\n1.1.1.1,22,x\n", `column 2, "dst_prot", is none that label files have: flows are chosen by flow_id, src_ip, dst_ip, src_port, dst_port`, label.ErrColumns},
		"all flows":    {"comment,label\n1.1.1.1,x\n", "none of comment, label says which flows", label.ErrColumns},
		"kdd99's":      {"src_ip,protocol_type,label\n1.1.1.1,tcp,x\n", "protocol_type", label.ErrColumns},
		"empty label":  {"src_ip,label\n1.1.1.1,\n", "l.csv:2: ", label.ErrValue},
		"bad address":  {"src_ip,label\nx,y\n", "src_ip", label.ErrValue},
		"bad prefix":   {"src_ip,label\n1.1.1.1/99,y\n", "src_ip", label.ErrValue},
		"bad port":     {"dst_port,label\n70000,y\n", "0 to 65535", label.ErrValue},
		"bad protocol": {"protocol,label\nfoo,y\n", "0 to 255", label.ErrValue},
		"bad time":     {"start,label\nyesterday,y\n", "is no time", label.ErrValue},
		"bad id":       {"flow_id,label\n1-2-3,y\n", "3 parts", label.ErrValue},
		"bad quoting":  {"src_ip,label\n\"1,y\n", "l.csv", label.ErrValue},
	} {
		_, err := label.Read(strings.NewReader(test.file), "l.csv")
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want %v that says %q", name, err, test.want, test.says)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("flow_id,start,label\n1.1.1.1-2.2.2.2-1-2-6,1.5,x\n")
	f.Add("src_ip,timestamp,label\n::/0,03/07/2017 11:58:00,x\n")
	f.Fuzz(func(t *testing.T, file string) {
		rules, err := label.Read(strings.NewReader(file), "fuzz")
		if err != nil {
			return
		}
		rules.Find(key("1.1.1.1", 1, "2.2.2.2", 2, 6), 1)
	})
}
