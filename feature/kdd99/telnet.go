package kdd99

import "bytes"

// telnetState is where in a command the stream of one side is (RFC 854).
type telnetState uint8

const (
	telnetText telnetState = iota
	telnetIAC
	telnetOption
	telnetSub
	telnetSubIAC
)

// Bytes with a meaning in Telnet.
const (
	iac        = 255
	will, dont = 251, 254
	subBegin   = 250
	subEnd     = 240
)

// text reports whether c is text rather than negotiation.
func (s *telnetState) text(c byte) bool {
	switch {
	case *s == telnetText && c == iac:
		*s = telnetIAC
	case *s == telnetText:
		return true
	case *s == telnetIAC && c >= will && c <= dont:
		*s = telnetOption
	case *s == telnetIAC && c == subBegin:
		*s = telnetSub
	case *s == telnetSub && c == iac:
		*s = telnetSubIAC
	case *s == telnetSub:
	case *s == telnetSubIAC && c != subEnd:
		*s = telnetSub
	default:
		*s = telnetText
	}
	return false
}

// addTelnet reads what one side sent, byte by byte: clients send what is typed, servers prompt without ending the line.
func (in *inspector) addTelnet(i int, payload []byte) {
	l := &in.lines[i]
	for _, c := range payload {
		if !in.telnet[i].text(c) {
			continue
		}
		switch {
		case c == '\r' || c == '\n':
			if (l.n > 0 || c == '\r') && !l.skip {
				in.typed(i, l.text())
			}
			l.reset()
		case c == 8 || c == 127:
			l.back()
		case c >= ' ':
			l.put(c)
		}
	}
	if i == 1 && l.n > 0 {
		in.prompt(bytes.TrimRight(l.text(), " "))
	}
}

// typed is a whole line of either side.
func (in *inspector) typed(i int, line []byte) {
	if i == 1 {
		in.output(line)
		return
	}
	switch in.phase {
	case awaitUser:
		in.user(line)
		in.phase = idle
	case awaitPassword:
		in.phase = awaitVerdict
	case inShell:
		in.command(line)
	}
}

// prompt is what the server has sent of a line and waits behind.
func (in *inspector) prompt(text []byte) {
	switch {
	case endsWith(text, "login:", "username:", "user:"):
		in.phase = awaitUser
	case endsWith(text, "password:"):
		in.phase = awaitPassword
	case endsWith(text, "$", "%", "#", ">"):
		in.shell(text[len(text)-1] == '#')
	}
}

// shell is a shell's prompt.
func (in *inspector) shell(root bool) {
	if in.phase == awaitPassword || in.phase == awaitUser {
		return // a banner's last character
	}
	if !in.LoggedIn {
		in.enter()
	}
	in.phase = inShell
	if root {
		in.RootShell = true
		in.verb = execute // commands run as root from here on
	} else {
		in.verb = noVerb
	}
}

var (
	loginFailures = []string{"incorrect", "Incorrect", "failed", "denied", "nvalid", "failure"}
	refusals      = []string{"not found", "o such file", "ermission denied", "ot owner", "annot open", "annot access"}
)

// output is a whole line of the server.
func (in *inspector) output(line []byte) {
	switch {
	case in.phase == awaitVerdict && containsAny(line, loginFailures):
		in.FailedLogins++
		if in.rootUser || in.guestUser {
			in.Hot++
		}
		in.phase = idle
	case in.phase == awaitVerdict && bytes.HasPrefix(line, []byte("Last login")):
		in.enter()
		in.phase = idle
	case in.phase == inShell && containsAny(line, refusals):
		in.Compromised++
	}
}

// command is a line typed at a shell.
func (in *inspector) command(line []byte) {
	name, args := word(line)
	if len(name) == 0 {
		return
	}
	if in.verb == execute {
		in.Root++
	}
	if bytes.HasPrefix(name, []byte("./")) || bytes.HasPrefix(name, []byte("/tmp/")) {
		in.Hot++ // a program of one's own
	}
	name = name[bytes.LastIndexByte(name, '/')+1:]
	switch {
	case isAny(name, "su"):
		if user := bytes.TrimLeft(args, "- "); len(user) == 0 || isAny(user, "root") {
			in.SuAttempted = 1
		}
	case isAny(name, "cd"):
		in.folder(args)
	case isAny(name, "sh", "bash", "csh", "tcsh", "ksh", "zsh", "ash", "dash"):
		in.Shells++
	case isAny(name, "cc", "gcc", "g++", "make"):
		in.Hot++
		in.FileCreations++
	case isAny(name, "cp", "mv", "touch", "mkdir", "ln", "vi", "vim", "ed", "ex", "emacs", "pico", "nano", "uudecode"),
		bytes.IndexByte(args, '>') >= 0:
		in.FileCreations++
	}
	in.file(line)
}

// endsWith compares without regard to case.
func endsWith(text []byte, ends ...string) bool {
	for _, e := range ends {
		if len(text) >= len(e) && bytes.EqualFold(text[len(text)-len(e):], []byte(e)) {
			return true
		}
	}
	return false
}
