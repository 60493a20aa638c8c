package kdd99

// portService names a range of ports.
type portService struct {
	from, to uint16
	service  Service
}

// tcpPorts are the services that the data know by the TCP port of the responder: the names are those of the data, the
// ports IANA's (Service Name and Transport Protocol Port Number Registry) and, for the names that IANA spells otherwise
// or lacks (ctf, link, rje, uucp_path), those of the /etc/services of SunOS 4 and 5, the systems that were attacked.
// Services of the data whose port no source gives (harvest, pm_dump) are not made.
var tcpPorts = []portService{
	{5, 5, RJE}, {7, 7, Echo}, {9, 9, Discard}, {11, 11, Systat}, {13, 13, Daytime}, {15, 15, Netstat},
	{20, 20, FTPData}, {21, 21, FTP}, {22, 22, SSH}, {23, 23, Telnet}, {25, 25, SMTP}, {37, 37, TimeService},
	{42, 42, Name}, {43, 43, Whois}, {53, 53, Domain}, {57, 57, MTP}, {70, 70, Gopher}, {71, 74, RemoteJob},
	{77, 77, RJE}, {79, 79, Finger}, {80, 80, HTTP}, {84, 84, CTF}, {87, 87, Link}, {95, 95, Supdup},
	{101, 101, Hostnames}, {102, 102, ISOTSAP}, {105, 105, CSNetNS}, {109, 109, POP2}, {110, 110, POP3},
	{111, 111, SunRPC}, {113, 113, Auth}, {117, 117, UUCPPath}, {119, 119, NNTP}, {137, 137, NetbiosNS},
	{138, 138, NetbiosDGM}, {139, 139, NetbiosSSN}, {143, 143, IMAP4}, {150, 150, SQLNet}, {175, 175, VMNet},
	{179, 179, BGP}, {194, 194, IRC}, {210, 210, Z3950}, {245, 245, Link}, {389, 389, LDAP}, {433, 433, NNSP},
	{443, 443, HTTP443}, {512, 512, Exec}, {513, 513, Login}, {514, 514, Shell}, {515, 515, Printer}, {520, 520, EFS},
	{530, 530, Courier}, {540, 540, UUCP}, {543, 543, KLogin}, {544, 544, KShell}, {2784, 2784, HTTP2784},
	{5190, 5193, AOL}, {6000, 6063, X11}, {6665, 6669, IRC}, {8001, 8001, HTTP8001},
}

// udpPorts are the services that the data have over UDP. All other ports are private or other there, also those that a
// service of TCP would name.
var udpPorts = []portService{{53, 53, DomainU}, {69, 69, TFTPU}, {123, 123, NTPU}}

// Service is what a connection is for, the column service.
type Service uint8

// The services in the schema's order. Those ending in U are over UDP, those ending in I messages of ICMP.
const (
	IRC Service = iota
	X11
	Z3950
	AOL
	Auth
	BGP
	Courier
	CSNetNS
	CTF
	Daytime
	Discard
	Domain
	DomainU
	Echo
	EcoI
	EcrI
	EFS
	Exec
	Finger
	FTP
	FTPData
	Gopher
	Harvest
	Hostnames
	HTTP
	HTTP2784
	HTTP443
	HTTP8001
	ICMP
	IMAP4
	ISOTSAP
	KLogin
	KShell
	LDAP
	Link
	Login
	MTP
	Name
	NetbiosDGM
	NetbiosNS
	NetbiosSSN
	Netstat
	NNSP
	NNTP
	NTPU
	Other
	PMDump
	POP2
	POP3
	Printer
	Private
	RedI
	RemoteJob
	RJE
	Shell
	SMTP
	SQLNet
	SSH
	SunRPC
	Supdup
	Systat
	Telnet
	TFTPU
	TimI
	TimeService
	UrhI
	UrpI
	UUCP
	UUCPPath
	VMNet
	Whois
)

var serviceNames = [...]string{
	"IRC", "X11", "Z39_50", "aol", "auth", "bgp", "courier", "csnet_ns", "ctf", "daytime", "discard", "domain",
	"domain_u", "echo", "eco_i", "ecr_i", "efs", "exec", "finger", "ftp", "ftp_data", "gopher", "harvest", "hostnames",
	"http", "http_2784", "http_443", "http_8001", "icmp", "imap4", "iso_tsap", "klogin", "kshell", "ldap", "link", "login",
	"mtp", "name", "netbios_dgm", "netbios_ns", "netbios_ssn", "netstat", "nnsp", "nntp", "ntp_u", "other", "pm_dump",
	"pop_2", "pop_3", "printer", "private", "red_i", "remote_job", "rje", "shell", "smtp", "sql_net", "ssh", "sunrpc",
	"supdup", "systat", "telnet", "tftp_u", "tim_i", "time", "urh_i", "urp_i", "uucp", "uucp_path", "vmnet", "whois",
}

// String is the service as the data spell it.
func (s Service) String() string {
	if int(s) < len(serviceNames) {
		return serviceNames[s]
	}
	return "other"
}
