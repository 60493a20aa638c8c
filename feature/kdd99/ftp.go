package kdd99

import "bytes"

// verb is the last command, as far as the reply to it matters.
type verb uint8

const (
	noVerb verb = iota
	logIn
	fetch   // a file is read
	create  // a file or folder is made
	change  // a file is deleted or renamed
	execute // the server runs a program
	exploit // a request that makes the server run a shell
	flood   // a request as of the attack back
)

// ftpCommand is a line of an FTP client (RFC 959).
func (in *inspector) ftpCommand(line []byte) {
	name, arg := word(line)
	in.verb = noVerb
	switch {
	case isAny(name, "USER"):
		in.user(arg)
	case isAny(name, "PASS", "ACCT"):
		in.verb = logIn
	case isAny(name, "RETR"):
		in.verb = fetch
		in.file(arg)
	case isAny(name, "STOR", "STOU", "APPE", "MKD", "XMKD"):
		in.verb = create
		in.file(arg)
	case isAny(name, "DELE", "RNFR", "RNTO", "RMD"):
		in.verb = change
		in.file(arg)
	case isAny(name, "CWD", "XCWD"):
		in.folder(arg)
	case isAny(name, "SITE"):
		if what, _ := word(arg); isAny(what, "EXEC") {
			in.verb = execute
			in.Hot++
		}
	}
}

// ftpReply is a line of an FTP server. A guest's every transfer is hot: in the data an anonymous session has as many hot
// indicators as it moved files.
func (in *inspector) ftpReply(line []byte) {
	code, ok := replyCode(line)
	if !ok {
		return
	}
	switch {
	case code == 230 && !in.LoggedIn:
		in.enter()
	case code == 530 && in.verb == logIn, code == 430 && in.verb == logIn:
		in.FailedLogins++
	case code == 550 && in.verb != noVerb, code == 553 && in.verb != noVerb:
		in.Compromised++ // refused or not found
	case code < 300 && in.LoggedIn:
		in.ftpDone()
	default:
		return
	}
	in.verb = noVerb
}

// ftpDone is a command that the server accepted (1xx) or carried out (2xx).
func (in *inspector) ftpDone() {
	if in.verb == create {
		in.FileCreations++
	}
	if in.GuestLogin && (in.verb == fetch || in.verb == create || in.verb == change) {
		in.Hot++
	}
	if in.HostLogin && in.verb != noVerb {
		in.Root++
	}
}

// replyCode reads the three digits at the beginning of a reply's last line (RFC 959, section 4.2).
func replyCode(line []byte) (int, bool) {
	if len(line) < 3 || len(line) > 3 && line[3] == '-' {
		return 0, false
	}
	code := 0
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return 0, false
		}
		code = code*10 + int(c-'0')
	}
	return code, true
}

// smtpCommand is a line of an SMTP client (RFC 5321). The text of messages is not looked at.
func (in *inspector) smtpCommand(line []byte) {
	if in.phase == inMail {
		if len(line) == 1 && line[0] == '.' {
			in.phase = idle
		}
		return
	}
	name, arg := word(line)
	in.verb = noVerb
	switch {
	case isAny(name, "DATA"):
		in.phase = inMail
	case isAny(name, "AUTH"):
		in.verb = logIn
	case isAny(name, "WIZ", "DEBUG", "KILL"):
		in.Hot++
	case isAny(name, "VRFY", "EXPN") && containsAny(arg, []string{"root", "decode"}):
		in.Hot++
	case isAny(name, "MAIL", "RCPT") && containsAny(arg, []string{"|", "decode", "../"}):
		in.Hot++
		in.file(arg)
	}
}

// smtpReply is a line of an SMTP server. A message that is refused has no text.
func (in *inspector) smtpReply(line []byte) {
	code, ok := replyCode(line)
	switch {
	case !ok:
	case code == 235:
		in.enter()
	case code == 535:
		in.FailedLogins++
	case code >= 400 && in.phase == inMail:
		in.phase = idle
	}
}

// popCommand is a line of a POP3 client (RFC 1939).
func (in *inspector) popCommand(line []byte) {
	name, arg := word(line)
	switch {
	case isAny(name, "USER"):
		in.user(arg)
	case isAny(name, "APOP"):
		who, _ := word(arg)
		in.user(who)
		in.verb = logIn
	case isAny(name, "PASS", "AUTH"):
		in.verb = logIn
	}
}

func (in *inspector) popReply(line []byte) {
	if in.verb != logIn {
		return
	}
	switch {
	case bytes.HasPrefix(line, []byte("+OK")):
		in.enter()
	case bytes.HasPrefix(line, []byte("-ERR")):
		in.FailedLogins++
	default: // a challenge
		return
	}
	in.verb = noVerb
}
