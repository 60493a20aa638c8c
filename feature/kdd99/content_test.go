package kdd99

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"mlids"
	"mlids/internal/testdata"
)

// dialogues are conversations with the content columns that are not 0.
var dialogues = []struct {
	name  string
	port  uint16
	lines []string
	want  map[string]float64
}{
	{"ftp, guest", 21, []string{
		"< 220-welcome\r\n220 FTP server\r\n", "> USER anonymous\r\n", "< 331 password\r\n", "> PASS me@example.org\r\n",
		"< 230 welcome\r\n", "> RETR a\r\n", "< 150 here\r\n", "< 226 done\r\n", "> STOR b\r\n", "< 150 ok\r\n226 done\r\n",
		"> CWD /etc\r\n", "< 250 ok\r\n", "> RETR passwd\r\n", "< 550 no\r\n",
	}, map[string]float64{"logged_in": 1, "is_guest_login": 1, "hot": 3, "num_file_creations": 1, "num_compromised": 1}},
	{"ftp, failures, in pieces", 21, []string{
		"> US", "> ER root\r", "> \nPASS x\r\n", "< 530 Login in", "< correct.\r\n", "> PASS y\r\n", "< 530 no\r\n",
	}, map[string]float64{"num_failed_logins": 2}},
	{"ftp, root", 21, []string{
		"> user ROOT\r\n", "< 331 ?\r\n", "> pass x\r\n", "< 230 ok\r\n", "> RETR /etc/shadow\r\n", "< 150 ok\r\n",
		"> SITE EXEC /bin/sh\r\n", "< 200 ok\r\n",
	}, map[string]float64{"logged_in": 1, "is_host_login": 1, "num_root": 3, "num_access_files": 1, "hot": 2}},
	{"ftp, not logged in", 21, []string{"< 220 hi\r\n", "> SYST\r\n", "< 215 UNIX\r\n", "> QUIT\r\n", "< 221 bye\r\n"}, nil},
	{"telnet, su", 23, []string{
		"< \xff\xfd\x18\xff\xfa\x18\x01\xff\xf0login: ", "> bob\r\n", "< bob\r\nPassword: ", "> secret\r\n",
		"< \r\nLast login: today\r\n$ ", "> su\r\n", "< Password: ", "> toor\r\n", "< \r\n# ", "> cat /etc/shadow > x\r\n",
		"< # ", "> cd /etc; ls\r\n", "< # ", "> cd /root\r\n", "< # ", "> /bin/bash\r\n", "< nothing: command not found\r\n# ",
		"> exit\r\n",
	}, map[string]float64{
		"logged_in": 1, "su_attempted": 1, "root_shell": 1, "num_root": 5, "num_access_files": 1, "hot": 2,
		"num_file_creations": 1, "num_shells": 1, "num_compromised": 1,
	}},
	{"telnet, guessing", 23, []string{
		"< login: ", "> guest\r\n", "< Password: ", "> guest\r\n", "< \r\nLogin incorrect\r\nlogin: ", "> guest\r\n",
		"< Password: ", "> 1234\r\n", "< \r\nLogin incorrect\r\n",
	}, map[string]float64{"num_failed_logins": 2, "hot": 2}},
	{"telnet, typed with mistakes", 23, []string{
		"< login: ", "> r", "> x", "> \x7f", "> oot\r\x00", "< Password: ", "> pw\r\x00", "< \r\nbox# ", "> ./exploit\r\x00", "< # ",
		"> gcc x.c\r\x00",
	}, map[string]float64{
		"logged_in": 1, "is_host_login": 1, "root_shell": 1, "num_root": 3, "hot": 2, "num_file_creations": 1,
	}},
	{"smtp", 25, []string{
		"< 220 mail ESMTP\r\n", "> HELO me\r\n", "< 250 hi\r\n", "> VRFY root\r\n", "< 252 ?\r\n", "> MAIL FROM:<|/bin/sh>\r\n",
		"< 250 ok\r\n", "> DATA\r\n", "< 354 go\r\n", "> DEBUG\r\n.\r\n", "< 250 ok\r\n", "> DEBUG\r\n", "< 500 no\r\n",
	}, map[string]float64{"logged_in": 1, "hot": 3}},
	{"smtp, password refused", 25, []string{"> AUTH PLAIN x\r\n", "< 535 no\r\n"},
		map[string]float64{"logged_in": 1, "num_failed_logins": 1}},
	{"pop, refused then let in", 110, []string{
		"< +OK ready\r\n", "> USER bob\r\n", "< +OK\r\n", "> PASS a\r\n", "< -ERR no\r\n", "> PASS b\r\n", "< +OK in\r\n",
	}, map[string]float64{"logged_in": 1, "num_failed_logins": 1}},
	{"pop, root by digest", 110, []string{"< +OK <1@x>\r\n", "> APOP root c4c9334b\r\n", "< +OK\r\n"},
		map[string]float64{"logged_in": 1, "is_host_login": 1, "num_root": 1}},
	{"pop, challenge", 110, []string{"> AUTH CRAM-MD5\r\n", "< + eA==\r\n", "> eA==\r\n", "< -ERR no\r\n"},
		map[string]float64{"num_failed_logins": 1}},
	{"ftp, deletion refused", 21, []string{"> USER ftp\r\n", "> PASS x\r\n", "< 230 ok\r\n", "> DELE .rhosts\r\n", "< 553 no\r\n"},
		map[string]float64{"logged_in": 1, "is_guest_login": 1, "num_access_files": 1, "hot": 1, "num_compromised": 1}},
	{"http", 80, []string{"> GET / HTTP/1.1\r\nHost: x\r\n\r\n", "< HTTP/1.1 200 OK\r\n\r\n/etc/passwd"},
		map[string]float64{"logged_in": 1}},
	{"http, phf", 80, []string{"> GET /cgi-bin/phf?Qalias=x%0a/bin/cat%20/etc/passwd\r\n", "< HTTP/1.0 200 OK\r\n\r\nroot:x:0:0"},
		map[string]float64{"logged_in": 1, "hot": 2, "root_shell": 1, "num_access_files": 1}},
	{"http, back", 80, []string{
		"> GET " + strings.Repeat("/", 600), "> " + strings.Repeat("/", 600) + "\r\n\r\n", "< HTTP/1.0 200 OK\r\n\r\n",
	}, map[string]float64{"logged_in": 1, "hot": 2, "num_compromised": 1}},
	{"http, password guessing", 80, []string{
		"> GET /a HTTP/1.1\r\nAuthorization: Basic eDp5\r\n\r\n", "< HTTP/1.1 401 Unauthorized\r\n\r\nno",
		"> GET /a HTTP/1.1\r\nAuthorization: Basic eDp6\r\n\r\n", "< HTTP/1.1 401 Unauthorized\r\n\r\n",
	}, map[string]float64{"logged_in": 1, "num_failed_logins": 2}},
	{"ident", 113, []string{"> 1, 2\r\n", "< 1, 2 : USERID : UNIX : bob\r\n"}, map[string]float64{"logged_in": 1}},
	{"ident, error", 113, []string{"> 1, 2\r\n", "< 1, 2 : ERROR : NO-USER\r\n"}, nil},
	{"finger", 79, []string{"> bob\r\n", "< none\r\n"}, nil},
	{"nothing known", 3306, []string{"> a", "< b"}, map[string]float64{"logged_in": 1}},
}

const (
	firstContent = 9  // hot
	lastContent  = 21 // is_guest_login
)

func TestContent(t *testing.T) {
	s := schema(t)
	for _, d := range dialogues {
		rows := extract(t, Config{}, each(dialogue(d.port, d.lines...)))
		if len(rows) != 1 {
			t.Errorf("%s: %d rows", d.name, len(rows))
			continue
		}
		for i := firstContent; i <= lastContent; i++ {
			if got, want := rows[0].Values[i], d.want[s.Columns[i].Name]; got != want {
				t.Errorf("%s: %s is %v, want %v", d.name, s.Columns[i].Name, got, want)
			}
		}
	}
}

// TestContentSurvivesLoss leaves each packet out in turn: a gap costs what it held, nothing more.
func TestContentSurvivesLoss(t *testing.T) {
	for _, d := range dialogues {
		all := dialogue(d.port, d.lines...)
		for i := 3; i < len(all)-2; i++ {
			less := append(append([]mlids.Packet(nil), all[:i]...), all[i+1:]...)
			for _, r := range extract(t, Config{}, each(less)) {
				if r.Values[4]+r.Values[5] == 0 {
					t.Errorf("%s: nothing left without packet %d", d.name, i)
				}
			}
		}
	}
}

// TestContentOfCaptures reads sessions that others recorded.
func TestContentOfCaptures(t *testing.T) {
	for _, c := range []struct {
		file []string
		want string // service, flag, failed log-ins, logged in, urgent: times
	}{
		{[]string{"zeek-btest", "bruteforce.pcap"}, "ftp SF 1 0 0: 30"},
		{[]string{"chrissanders", "telnet.pcap"}, "telnet SF 0 1 1: 1"},
		{[]string{"chrissanders", "ftp-uploadfailed.pcap"}, "ftp_data RSTR 0 0 0: 1"},
		{[]string{"zeek-btest", "http-vlan-0.pcap"}, "http SF 0 1 0: 1"},
	} {
		times := map[string]int{}
		for _, r := range extractFile(t, Config{}, testdata.Path(t, append([]string{"pcap"}, c.file...)...)) {
			times[fmt.Sprint(r.Service, r.Flag, value(t, &r, "num_failed_logins"), value(t, &r, "logged_in"), value(t, &r, "urgent"))]++
		}
		key, n, _ := strings.Cut(c.want, ": ")
		if got := strconv.Itoa(times[key]); got != n {
			t.Errorf("%s: %v, want %s", c.file, times, c.want)
		}
	}
}

// FuzzContent gives the parsers both sides of any dialog in any pieces.
func FuzzContent(f *testing.F) {
	for _, d := range dialogues {
		f.Add(uint8(dialogOf(newServices(false).tcp[d.port])), strings.Join(d.lines, ""), uint8(7))
	}
	f.Fuzz(func(t *testing.T, which uint8, text string, piece uint8) {
		in := &inspector{dialog: dialog(which % uint8(identDialog+1))}
		size := int(piece)%64 + 1
		for i := 0; len(text) > 0; i++ {
			n := min(size, len(text))
			in.add(i/2%2, []byte(text[:n]), i%11 == 10)
			text = text[n:]
			for _, l := range in.lines {
				if int(l.n) > lineBytes {
					t.Fatalf("line of %d bytes", l.n)
				}
			}
		}
	})
}
