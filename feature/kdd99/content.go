package kdd99

import "bytes"

// Content are the columns from hot to is_guest_login.
type Content struct {
	Hot, FailedLogins, Compromised, SuAttempted uint32
	Root, FileCreations, Shells, AccessFiles    uint32
	LoggedIn, RootShell, HostLogin, GuestLogin  bool
}

// inspector reads the text of one connection. It keeps one line of each direction and knows how far the dialog is.
type inspector struct {
	Content
	dialog dialog
	lines  [2]lines

	rootUser, guestUser bool // whom the client wants to log in as
	phase               phase
	verb                verb
	telnet              [2]telnetState
}

// dialog is what kind of text a connection carries.
type dialog uint8

const (
	noDialog dialog = iota
	ftpDialog
	telnetDialog
	smtpDialog
	popDialog
	httpDialog
	identDialog
)

// dialogOf is the dialog of a service, noDialog for those whose text says nothing.
func dialogOf(s Service) dialog {
	switch s {
	case FTP:
		return ftpDialog
	case Telnet:
		return telnetDialog
	case SMTP:
		return smtpDialog
	case POP2, POP3:
		return popDialog
	case HTTP, HTTP8001, HTTP2784:
		return httpDialog
	case Auth:
		return identDialog
	}
	return noDialog
}

// add reads the next payload of side i (0 the client's). hole says that bytes are missing in front of it: the line that
// they belonged to is given up.
func (in *inspector) add(i int, payload []byte, hole bool) {
	if hole {
		in.lines[i].drop()
	}
	switch in.dialog {
	case telnetDialog:
		in.addTelnet(i, payload)
		return
	case httpDialog:
		if i == 1 && in.phase != awaitStatus { // a body, in which nothing is looked for
			return
		}
	}
	for len(payload) > 0 {
		var line []byte
		var whole bool
		if line, payload, whole = in.lines[i].next(payload); whole {
			in.line(i, line)
		}
		if in.dialog == httpDialog && i == 1 && in.phase != awaitStatus {
			in.lines[1].reset()
			return
		}
	}
}

// line is a whole line, without its end.
func (in *inspector) line(i int, line []byte) {
	switch {
	case in.dialog == ftpDialog && i == 0:
		in.ftpCommand(line)
	case in.dialog == ftpDialog:
		in.ftpReply(line)
	case in.dialog == smtpDialog && i == 0:
		in.smtpCommand(line)
	case in.dialog == smtpDialog:
		in.smtpReply(line)
	case in.dialog == popDialog && i == 0:
		in.popCommand(line)
	case in.dialog == popDialog:
		in.popReply(line)
	case in.dialog == httpDialog && i == 0:
		in.httpRequest(line)
	case in.dialog == httpDialog:
		in.httpStatus(line)
	case in.dialog == identDialog && i == 1:
		in.LoggedIn = in.LoggedIn || bytes.Contains(line, []byte("USERID"))
	}
}

// phase is how far a dialog is.
type phase uint8

const (
	idle phase = iota
	awaitUser
	awaitPassword
	awaitVerdict // on user and password
	inShell
	awaitStatus // of a request
	inMail      // between DATA and the dot
)

// user notes whom the client names.
func (in *inspector) user(name []byte) {
	name = bytes.TrimSpace(name)
	in.rootUser = isAny(name, "root", "adm", "administrator", "toor")
	in.guestUser = isAny(name, "anonymous", "guest", "ftp", "visitor")
}

// enter is a log-in that succeeded.
func (in *inspector) enter() {
	in.LoggedIn = true
	in.GuestLogin = in.GuestLogin || in.guestUser
	if in.rootUser {
		in.HostLogin = true
		in.Root++
	}
}

// accessFiles are files that say who may enter.
var accessFiles = []string{
	"/etc/passwd", "/etc/shadow", "master.passwd", "/etc/group", "/etc/sudoers", ".rhosts", ".shosts", "hosts.equiv",
	"hosts.allow", "hosts.deny", ".htpasswd", ".htaccess", ".netrc", "authorized_keys", "authorized%5fkeys",
}

// systemFolders are where a guest has no business.
var systemFolders = []string{"/etc", "/bin", "/sbin", "/dev", "/usr", "/var", "/root", "/proc", "/boot", "/lib", "~root"}

// file looks at a name of a file that the client works with.
func (in *inspector) file(name []byte) {
	if containsAny(name, accessFiles) {
		in.AccessFiles++
		in.Hot++
	}
}

// folder looks at a folder that the client enters.
func (in *inspector) folder(name []byte) {
	for _, f := range systemFolders {
		if bytes.HasPrefix(name, []byte(f)) && (len(name) == len(f) || name[len(f)] == '/') {
			in.Hot++
			return
		}
	}
}

func containsAny(b []byte, list []string) bool {
	for _, s := range list {
		if bytes.Contains(b, []byte(s)) {
			return true
		}
	}
	return false
}

// isAny compares without regard to case.
func isAny(b []byte, list ...string) bool {
	for _, s := range list {
		if len(b) == len(s) && bytes.EqualFold(b, []byte(s)) {
			return true
		}
	}
	return false
}

// word splits the first word off a line.
func word(line []byte) (first, rest []byte) {
	line = bytes.TrimLeft(line, " \t")
	if i := bytes.IndexAny(line, " \t"); i >= 0 {
		return line[:i], bytes.TrimSpace(line[i:])
	}
	return line, nil
}
