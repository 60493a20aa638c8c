package feature

const srcKDD = "Stolfo et al., Cost-based Modeling for Fraud and Intrusion Detection, DISCEX 2000; KDD Cup 1999 task description"

// kdd99 is the schema of KDD Cup 1999 and NSL-KDD. Their files have no header: columns come in this order, then the
// attack's name (and in NSL-KDD a difficulty, which is not read).
func kdd99() Schema {
	s := Schema{Name: "kdd99", Version: "1", Label: []string{"attack", "attack_type", "label", "class"}, Columns: []Column{
		{Name: "duration", Kind: Integer, Unit: "s", Meaning: "Length of the connection."},
		{Name: "protocol_type", Kind: Category, Meaning: "Transport protocol.", Categories: []string{"icmp", "tcp", "udp"}},
		{Name: "service", Kind: Category, Meaning: "Service at the destination, by port and payload.", Categories: kddServices},
		{Name: "flag", Kind: Category, Meaning: "How the connection ended, as Bro has it.", Categories: kddFlags},
		{Name: "src_bytes", Kind: Integer, Unit: "bytes", Meaning: "Payload from source to destination."},
		{Name: "dst_bytes", Kind: Integer, Unit: "bytes", Meaning: "Payload from destination to source."},
		{Name: "land", Kind: Flag, Meaning: "1 when both ends have the same address and port."},
		{Name: "wrong_fragment", Kind: Integer, Unit: "packets", Meaning: "Wrong fragments."},
		{Name: "urgent", Kind: Integer, Unit: "packets", Meaning: "Packets with URG."},
		{Name: "hot", Kind: Integer, Meaning: "Hot indicators in the payload: system directories entered, programs made and run."},
		{Name: "num_failed_logins", Kind: Integer, Meaning: "Failed log-ins."},
		{Name: "logged_in", Kind: Flag, Meaning: "1 after a log-in that succeeded."},
		{Name: "num_compromised", Kind: Integer, Meaning: "Compromised conditions: refused or missing files, jumps."},
		{Name: "root_shell", Kind: Flag, Meaning: "1 when a root shell was obtained."},
		{Name: "su_attempted", Kind: Integer, Meaning: "Attempts of su root."},
		{Name: "num_root", Kind: Integer, Meaning: "Accesses as root."},
		{Name: "num_file_creations", Kind: Integer, Meaning: "Files created."},
		{Name: "num_shells", Kind: Integer, Meaning: "Shell prompts."},
		{Name: "num_access_files", Kind: Integer, Meaning: "Operations on access control files."},
		{Name: "num_outbound_cmds", Kind: Integer, Meaning: "Outbound commands in an ftp session; 0 throughout the data."},
		{Name: "is_host_login", Kind: Flag, Meaning: "1 for a log-in of the hot list (root, adm)."},
		{Name: "is_guest_login", Kind: Flag, Meaning: "1 for a guest log-in (anonymous, guest)."},
		{Name: "count", Kind: Integer, Unit: "connections", Meaning: "Connections to the same host in the past 2 s, at most 511."},
		{Name: "srv_count", Kind: Integer, Unit: "connections", Meaning: "Connections to the same service in the past 2 s, at most 511."},
		{Name: "serror_rate", Kind: Real, Meaning: "Share of the count connections with a SYN error (S0 to S3, SH)."},
		{Name: "srv_serror_rate", Kind: Real, Meaning: "Share of the srv_count connections with a SYN error."},
		{Name: "rerror_rate", Kind: Real, Meaning: "Share of the count connections refused or reset (REJ, RSTO, RSTR, RSTOS0)."},
		{Name: "srv_rerror_rate", Kind: Real, Meaning: "Share of the srv_count connections refused or reset."},
		{Name: "same_srv_rate", Kind: Real, Meaning: "Share of the count connections to the same service."},
		{Name: "diff_srv_rate", Kind: Real, Meaning: "Different other services among the count connections, by count."},
		{Name: "srv_diff_host_rate", Kind: Real, Meaning: "Different other hosts among the srv_count connections, by srv_count."},
		{Name: "dst_host_count", Kind: Integer, Unit: "connections", Meaning: "Connections to the same host among the last 255 of all hosts."},
		{Name: "dst_host_srv_count", Kind: Integer, Unit: "connections", Meaning: "Connections to the same service among the last 255 of the same host."},
		{Name: "dst_host_same_srv_rate", Kind: Real, Meaning: "Share of them to the same service."},
		{Name: "dst_host_diff_srv_rate", Kind: Real, Meaning: "Different other services among them, by dst_host_count."},
		{Name: "dst_host_same_src_port_rate", Kind: Real, Meaning: "Share of them from the same source port."},
		{Name: "dst_host_srv_diff_host_rate", Kind: Real, Meaning: "Share of those to the same service that came from other hosts."},
		{Name: "dst_host_serror_rate", Kind: Real, Meaning: "Share of them with a SYN error."},
		{Name: "dst_host_srv_serror_rate", Kind: Real, Meaning: "Share of those to the same service with a SYN error."},
		{Name: "dst_host_rerror_rate", Kind: Real, Meaning: "Share of them refused or reset."},
		{Name: "dst_host_srv_rerror_rate", Kind: Real, Meaning: "Share of those to the same service refused or reset."},
	}}
	for i := range s.Columns {
		s.Columns[i].Header = s.Columns[i].Name
		s.Columns[i].Source = srcKDD
	}
	return s
}

// kddFlags are the states of a connection (Paxson, Bro: A System for Detecting Network Intruders in Real-Time, 1999).
var kddFlags = []string{"OTH", "REJ", "RSTO", "RSTOS0", "RSTR", "S0", "S1", "S2", "S3", "SF", "SH"}

// kddServices are the services of the full data set, NSL-KDD included.
var kddServices = []string{
	"IRC", "X11", "Z39_50", "aol", "auth", "bgp", "courier", "csnet_ns", "ctf", "daytime", "discard", "domain",
	"domain_u", "echo", "eco_i", "ecr_i", "efs", "exec", "finger", "ftp", "ftp_data", "gopher", "harvest", "hostnames",
	"http", "http_2784", "http_443", "http_8001", "icmp", "imap4", "iso_tsap", "klogin", "kshell", "ldap", "link", "login",
	"mtp", "name", "netbios_dgm", "netbios_ns", "netbios_ssn", "netstat", "nnsp", "nntp", "ntp_u", "other", "pm_dump",
	"pop_2", "pop_3", "printer", "private", "red_i", "remote_job", "rje", "shell", "smtp", "sql_net", "ssh", "sunrpc",
	"supdup", "systat", "telnet", "tftp_u", "tim_i", "time", "urh_i", "urp_i", "uucp", "uucp_path", "vmnet", "whois",
}
