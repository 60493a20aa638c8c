package dataset

// kdd99Attacks are the attack types of KDD Cup 1999's training and test files by class, with those that only the task's
// list of DARPA attacks names. httptunnel counts as u2r, as in the contest's scoring.
var kdd99Attacks = []struct {
	class   string
	attacks []string
}{
	{"normal", []string{
		"normal",
	}},
	{"dos", []string{
		"apache2", "arppoison", "back", "crashiis", "desnuke", "land", "mailbomb", "neptune", "pod",
		"processtable", "selfping", "smurf", "syslogd", "teardrop", "tepreset", "ucpstorm", "udpstorm",
	}},
	{"probe", []string{
		"illegal-sniffer", "ipsweep", "lsdomain", "mscan", "msscan", "nmap", "ntinfoscan", "portsweep", "queso",
		"saint", "satan",
	}},
	{"r2l", []string{
		"dict", "framespoof", "ftp_write", "ftpwrite", "guess_passwd", "guest", "imap", "multihop", "named",
		"ncftp", "netbus", "netcat", "phf", "ppmacro", "sendmail", "snmpget", "snmpgetattack", "snmpguess", "spy",
		"sshtrojan", "warezclient", "warezmaster", "worm", "xlock", "xsnoop",
	}},
	{"u2r", []string{
		"buffer_overflow", "casesen", "eject", "fdformat", "ffbconfig", "httptunnel", "loadmodule", "ntfsdos",
		"nukepw", "perl", "ps", "rootkit", "sechole", "secret", "sqlattack", "xterm", "yaga",
	}},
}
