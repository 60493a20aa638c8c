package kdd99

import "bytes"

// weakScripts are CGI programs of 1999 that were attacked through their parameters.
var weakScripts = []string{
	"/phf", "/test-cgi", "/nph-test-cgi", "/php.cgi", "/handler", "/webdist.cgi", "/campas", "/view-source", "/aglimpse",
	"/faxsurvey", "/finger.cgi", "/perl.exe",
}

// shellWords show a command in a request.
var shellWords = []string{"/bin/", "%2fbin%2f", "%0a", "cmd.exe", "command.com", "../../", "..%2f..", "..\\.."}

const (
	slashFlood = 64 // slashes in a row, as of the attack back
	slashHot   = 2  // what that attack counts in the data
)

var httpMethods = []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH"}

// httpRequest is a line of an HTTP client (RFC 9112): a request, a field, or part of a body.
func (in *inspector) httpRequest(line []byte) {
	name, rest := word(line)
	switch {
	case isAny(name, httpMethods...) && len(rest) > 0:
		in.phase, in.verb = awaitStatus, noVerb
		in.target(rest)
	case isAny(name, "Authorization:") && in.phase == awaitStatus && in.verb == noVerb:
		in.verb = logIn
	}
}

// target looks at what a request asks for. A long line may lack its end.
func (in *inspector) target(target []byte) {
	if slashes(target) >= slashFlood {
		in.Hot += slashHot
		in.verb = flood
		return
	}
	weak, command := containsAny(target, weakScripts), containsAny(target, shellWords)
	if weak || command {
		in.Hot++
	}
	if weak && command {
		in.verb = exploit
	}
	in.file(target)
}

// slashes is the length of the longest row of slashes.
func slashes(b []byte) (longest int) {
	row := 0
	for _, c := range b {
		if row++; c != '/' {
			row = 0
		}
		longest = max(longest, row)
	}
	return longest
}

// httpStatus is a line of an HTTP server while a status is awaited.
func (in *inspector) httpStatus(line []byte) {
	name, rest := word(line)
	if !bytes.HasPrefix(name, []byte("HTTP/")) || len(rest) < 3 {
		return
	}
	in.phase = idle
	ok := rest[0] == '2'
	switch {
	case in.verb == logIn && isAny(rest[:3], "401"):
		in.FailedLogins++
	case in.verb == flood && ok:
		in.Compromised++
	case in.verb == exploit && ok:
		in.RootShell = true // the web server runs what it is told
	}
	in.verb = noVerb
}
