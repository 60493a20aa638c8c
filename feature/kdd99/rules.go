package kdd99

// Rules are the choices in which tools that claim KDD's columns differ.
type Rules struct {
	FractionalDuration bool // seconds with six decimals, else whole seconds, rounded down
	EphemeralPrivate   bool // a port without a service is private from 49152 on, else below 1024; the others are other
	UDPStates          bool // UDP has S0 without an answer and SF with one, else always SF
	OnlyRejected       bool // of failures windows count S0 to S3 and REJ, else also SH and every reset
	GureWindows        bool // windows as gureKddcup's, else as in the data
	Decimals           int  // of the rates: 2, or 6
}

const (
	second     = int64(1e9)
	windowSpan = 2 * second
)

// KDD99 are the rules that the rows of KDD Cup 1999 keep: derived from kddcup.data_10_percent, see docs/kdd99.md.
func KDD99() Rules { return Rules{Decimals: 2} }

// Gure are the rules of gureKddcup (Perona et al., Service-independent payload analysis to improve intrusion detection
// in network traffic, AusDM 2008), whose programs many use to make KDD's columns from captures.
func Gure() Rules {
	return Rules{
		FractionalDuration: true, EphemeralPrivate: true, UDPStates: true, OnlyRejected: true, GureWindows: true, Decimals: 6,
	}
}
