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
		switch c := expr[at]; {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			at++
			continue
		case strings.HasPrefix(expr[at:], "&&"), strings.HasPrefix(expr[at:], "||"):
			size = 2
		case c == '(' || c == ')' || c == '!':
		default:
			if n := strings.IndexAny(expr[at:], " \t\r\n()!&|"); n > 0 {
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
