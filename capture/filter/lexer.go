package filter

import "strings"

// word is one token of an expression and where it stands, in bytes from the start.
type word struct {
	text string
	at   int
}

// words splits an expression. Operators and parentheses need no space around them.
func words(expr string) []word {
	var list []word
	for at := 0; at < len(expr); {
		size := 1
		switch {
		case strings.IndexByte(" \t\r\n", expr[at]) >= 0:
			at++
			continue
		case sign(expr[at:]):
			size = 2
		default:
			if n := strings.IndexAny(expr[at:], " \t\r\n()!&|=<>"); n > 0 {
				size = n
			} else if n < 0 {
				size = len(expr) - at
			}
		}
		list = append(list, word{operator(expr[at : at+size]), at})
		at += size
	}
	return list
}

// sign reports whether s begins with an operator of two signs.
func sign(s string) bool {
	if len(s) < 2 {
		return false
	}
	switch s[:2] {
	case "&&", "||", "!=", "==", "<=", ">=":
		return true
	}
	return false
}

// operator is the spelling in words of an operator in signs.
func operator(text string) string {
	switch text {
	case "&&":
		return "and"
	case "||":
		return "or"
	case "!":
		return "not"
	}
	return text
}
