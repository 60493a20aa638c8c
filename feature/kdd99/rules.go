package kdd99

// Rules are the choices in which tools that claim KDD's columns differ.
type Rules struct {
	FractionalDuration bool // seconds with six decimals, else whole seconds, rounded down
	EphemeralPrivate   bool // a port without a service is private from 49152 on, else below 1024; the others are other
	UDPStates          bool // UDP has S0 without an answer and SF with one, else always SF
	Decimals           int  // of the rates: 2, or 6

	Windows WindowRules
}

// WindowRules say which connections the window columns count. The 2-second window holds connections that began at most
// Span before the current one, and of these the last CountMax; the host window the last HostMax of all connections.
type WindowRules struct {
	Current      bool // the current connection is in its own windows, and counts for CountMax and HostMax
	WholeSeconds bool // times are cut to seconds before they are compared
	CountMax     int  // at most 1,023 if Distinct
	HostMax      int  // likewise
	Distinct     bool // diff rates count different services (hosts) when there are two or more, else connections to them
	PortOfAny    bool // same_src_port_rate is of all connections in the window, else of those to the same host
	ByName       bool // same_srv_rate and diff_srv_rate compare services by name, and other is the same as nothing
	Ratchet      bool // the 2-second window never begins before that of an earlier connection, see docs/kdd99.md
	OnlyRejected bool // of the errors only S0 to S3 and REJ count, else also SH and every reset
}

const (
	second     = int64(1e9)
	windowSpan = 2 * second
)

// KDD99 are the rules that the rows of KDD Cup 1999 keep: derived from kddcup.data_10_percent, see docs/kdd99.md.
func KDD99() Rules {
	return Rules{Decimals: 2, Windows: WindowRules{Current: true, CountMax: 511, HostMax: 255, Distinct: true}}
}

// Gure are the rules of gureKddcup (Perona et al., Service-independent payload analysis to improve intrusion detection
// in network traffic, AusDM 2008), whose programs many use to make KDD's columns from captures. Those set no bound for
// the 2-second window, and their Ratchet shows only where lists are not in order of time; it is left out here.
func Gure() Rules {
	return Rules{
		FractionalDuration: true, EphemeralPrivate: true, UDPStates: true, Decimals: 6,
		Windows: WindowRules{WholeSeconds: true, CountMax: 1 << 14, HostMax: 100, PortOfAny: true, ByName: true, OnlyRejected: true},
	}
}
