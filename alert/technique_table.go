package alert

import "strings"

// rules is the table of techniques. Order is part of signature ids: new lines go to the end.
//
// Classes are those of KDD Cup 1999 and its attack types, the labels of CIC-IDS2017 and CSE-CIC-IDS2018, and the names
// other sensors use. A class such as dos is broader than a technique; it gets the one that most of its types share.
func rules() []rule {
	const (
		impact     = "TA0040 Impact"
		discovery  = "TA0007 Discovery"
		recon      = "TA0043 Reconnaissance"
		access     = "TA0001 Initial Access"
		credential = "TA0006 Credential Access" //nolint:gosec // the name of a tactic
		escalation = "TA0004 Privilege Escalation"
		execution  = "TA0002 Execution"
		evasion    = "TA0005 Defense Evasion"
		control    = "TA0011 Command and Control"
		exfil      = "TA0010 Exfiltration"
		collection = "TA0009 Collection"
		lateral    = "TA0008 Lateral Movement"
		persist    = "TA0003 Persistence"
	)
	var (
		dos      = kind{"Attempted Denial of Service", 2}
		leak     = kind{"Attempted Information Leak", 2}
		scan     = kind{"Detection of a Network Scan", 3}
		admin    = kind{"Attempted Administrator Privilege Gain", 1}
		user     = kind{"Attempted User Privilege Gain", 1}
		web      = kind{"Web Application Attack", 1}
		trojan   = kind{"A Network Trojan was detected", 1}
		misc     = kind{"Misc Attack", 2}
		password = kind{"An attempted login using a suspicious username was detected", 2}
	)
	return []rule{
		of("T1498", "Network Denial of Service", impact, dos, "ddos udpstorm ucpstorm flood udpflood icmpflood"),
		of("T1498.001", "Network Denial of Service: Direct Network Flood", impact, dos, "ddosattackloicudp ddosattackhoic ddosattacksloichttp"),
		of("T1498.002", "Network Denial of Service: Reflection Amplification", impact, dos, "smurf reflection amplification udpamplification synackreflection"),
		of("T1499", "Endpoint Denial of Service", impact, dos, "dos"),
		of("T1499.001", "Endpoint Denial of Service: OS Exhaustion Flood", impact, dos, "neptune synflood processtable selfping"),
		of("T1499.002", "Endpoint Denial of Service: Service Exhaustion Flood", impact, dos,
			"apache2 back doshulk dosattackshulk dosgoldeneye dosattacksgoldeneye dosslowloris dosattacksslowloris slowloris "+
				"dosslowhttptest dosattacksslowhttptest slowhttp"),
		of("T1499.003", "Endpoint Denial of Service: Application Exhaustion Flood", impact, dos, "mailbomb"),
		of("T1499.004", "Endpoint Denial of Service: Application or System Exploitation", impact, dos,
			"crashiis desnuke land pod pingofdeath syslogd teardrop tepreset"),
		of("T1557.002", "Adversary-in-the-Middle: ARP Cache Poisoning", credential, misc, "arppoison"),
		of("T1046", "Network Service Discovery", discovery, scan,
			"probe scan portscan infiltrationportscan portsweep nmap nmapsynscan mscan msscan"),
		of("T1595.001", "Active Scanning: Scanning IP Blocks", recon, scan, "ipsweep hostscan hostsweep"),
		of("T1595.002", "Active Scanning: Vulnerability Scanning", recon, leak, "satan saint ntinfoscan"),
		of("T1590.002", "Gather Victim Network Information: DNS", recon, leak, "lsdomain"),
		of("T1592.004", "Gather Victim Host Information: Client Configurations", recon, leak, "queso"),
		of("T1040", "Network Sniffing", credential, leak, "illegalsniffer"),
		of("T1190", "Exploit Public-Facing Application", access, user,
			"r2l ftpwrite imap named phf sendmail heartbleed"),
		of("T1190", "Exploit Public-Facing Application", access, web, "sqlinjection webattacksqlinjection webattack"),
		of("T1189", "Drive-by Compromise", access, web, "xss webattackxss bruteforcexss"),
		of("T1110", "Brute Force", credential, password, "bruteforce webattackbruteforce bruteforceweb"),
		of("T1110.001", "Brute Force: Password Guessing", credential, password,
			"guesspasswd dict snmpguess ftppatator sshpatator ftpbruteforce sshbruteforce ftppasswordbruteforce passwordguessing"),
		of("T1078.001", "Valid Accounts: Default Accounts", access, password, "guest warezclient warezmaster"),
		of("T1078", "Valid Accounts", access, user, "spy"),
		of("T1602.001", "Data from Configuration Repository: SNMP (MIB Dump)", collection, leak, "snmpget snmpgetattack"),
		of("T1056.001", "Input Capture: Keylogging", collection, leak, "xsnoop"),
		of("T1056.002", "Input Capture: GUI Input Capture", collection, leak, "xlock framespoof"),
		of("T1090.003", "Proxy: Multi-hop Proxy", control, trojan, "multihop"),
		of("T1210", "Exploitation of Remote Services", lateral, trojan, "worm"),
		of("T1219", "Remote Access Tools", control, trojan, "netbus"),
		of("T1095", "Non-Application Layer Protocol", control, trojan, "netcat"),
		of("T1203", "Exploitation for Client Execution", execution, user, "ncftp infiltration infilteration"),
		of("T1204.002", "User Execution: Malicious File", execution, trojan, "ppmacro"),
		of("T1554", "Compromise Host Software Binary", persist, trojan, "sshtrojan"),
		of("T1068", "Exploitation for Privilege Escalation", escalation, admin,
			"u2r bufferoverflow casesen eject fdformat ffbconfig loadmodule perl ps sechole sqlattack xterm yaga"),
		of("T1006", "Direct Volume Access", evasion, admin, "ntfsdos"),
		of("T1014", "Rootkit", evasion, trojan, "rootkit"),
		of("T1098", "Account Manipulation", persist, admin, "nukepw"),
		of("T1048", "Exfiltration Over Alternative Protocol", exfil, leak, "secret exfiltration"),
		of("T1572", "Protocol Tunneling", control, trojan, "httptunnel tunnel dnstunnel"),
		of("T1071.001", "Application Layer Protocol: Web Protocols", control, trojan, "bot botnet"),
		of("T1071", "Application Layer Protocol", control, trojan, "beacon c2"),
	}
}

// of makes a line of the table.
func of(id, name, tactic string, k kind, classes string) rule {
	tacticID, tacticName, _ := strings.Cut(tactic, " ")
	return rule{Technique{id, name, tacticID, tacticName, k}, strings.Fields(classes)}
}
