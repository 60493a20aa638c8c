package alert_test

import (
	"regexp"
	"strings"
	"testing"

	"mlids/alert"
	"mlids/dataset"
	"mlids/model"
	"mlids/models"
)

func TestTechniques(t *testing.T) {
	for class, want := range map[string]string{
		"neptune": "T1499.001", "DoS attacks-GoldenEye": "T1499.002", "DDOS attack-LOIC-UDP": "T1498.001", "SSH-Patator": "T1110.001",
		"Web Attack – Brute Force": "T1110", "Infiltration - Portscan": "T1046", "Infilteration": "T1203", "guess_passwd": "T1110.001",
		"DoS Hulk - Attempted": "T1499.002", "u2r": "T1068", "Brute Force -XSS": "T1189", "Bot": "T1071.001", "portsweep.": "T1046",
	} {
		if got, ok := alert.TechniqueOf(class); !ok || got.ID != want {
			t.Errorf("%s: %s, want %s", class, got.ID, want)
		}
	}
	for _, class := range []string{"", "attack", "benign", "normal", "anomaly", "unheard of"} {
		if got, ok := alert.TechniqueOf(class); ok {
			t.Errorf("%q: %s, want none", class, got.ID)
		}
	}
}

// Every attack that the data sets name has a technique, and the parts of a technique have their form.
func TestEveryAttackHasATechnique(t *testing.T) {
	known := strings.Fields(`dos probe r2l u2r
		apache2 arppoison back crashiis desnuke land mailbomb neptune pod processtable selfping smurf syslogd teardrop tepreset ucpstorm
		udpstorm illegal-sniffer ipsweep lsdomain mscan msscan nmap ntinfoscan portsweep queso saint satan dict framespoof ftp_write
		ftpwrite guess_passwd guest imap multihop named ncftp netbus netcat phf ppmacro sendmail snmpget snmpgetattack snmpguess spy
		sshtrojan warezclient warezmaster worm xlock xsnoop buffer_overflow casesen eject fdformat ffbconfig httptunnel loadmodule ntfsdos
		nukepw perl ps rootkit sechole secret sqlattack xterm yaga`)
	table := dataset.KDD99()
	for _, name := range known[4:] {
		if class, ok := table.Of(name); !ok || class == 0 {
			t.Errorf("%s is no attack of KDD Cup 1999", name)
		}
	}
	known = append(known,
		"DoS Hulk", "Portscan", "DDoS", "Infiltration - Portscan", "DoS GoldenEye", "FTP-Patator", "DoS Slowloris", "SSH-Patator",
		"DoS Slowhttptest", "Botnet", "Web Attack - Brute Force", "Infiltration", "Web Attack - XSS", "Web Attack - SQL Injection",
		"Web Attack - Sql Injection", "Heartbleed", "Bot", "Brute Force -Web", "Brute Force -XSS", "SQL Injection", "DDOS attack-HOIC",
		"DDOS attack-LOIC-UDP", "DDoS attacks-LOIC-HTTP", "DoS attacks-GoldenEye", "DoS attacks-Hulk", "DoS attacks-SlowHTTPTest",
		"DoS attacks-Slowloris", "FTP-BruteForce", "Infilteration", "SSH-Bruteforce")
	id, tactic := regexp.MustCompile(`^T\d{4}(\.\d{3})?$`), regexp.MustCompile(`^TA\d{4}$`)
	for _, name := range known {
		got, ok := alert.TechniqueOf(name)
		if !ok || !id.MatchString(got.ID) || !tactic.MatchString(got.TacticID) || got.Name == "" || got.Tactic == "" {
			t.Errorf("%s: %+v", name, got)
		}
		if sub := strings.Contains(got.ID, "."); sub != strings.Contains(got.Name, ": ") {
			t.Errorf("%s: %s is called %q", name, got.ID, got.Name)
		}
	}
}

// Built-in models know no class that the table has not, but for the one that says no more than "attack".
func TestBuiltInModels(t *testing.T) {
	loaded, err := models.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range loaded {
		for _, class := range m.Info().Classes[1:] {
			if _, ok := alert.TechniqueOf(class); !ok && class != "attack" && !model.IsCompanion(m.Info().Name) {
				t.Errorf("model %s: class %s has no technique", m.Info().Name, class)
			}
		}
	}
}
