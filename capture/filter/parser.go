package filter

import (
	"errors"
	"fmt"
)

// ErrSyntax is what Compile wraps for an expression that it does not understand.
var ErrSyntax = errors.New("filter expression not understood")

// Bounds of what is compiled.
const (
	maxExpression = 1 << 14 // bytes
	maxDepth      = 64      // of parentheses and negations
)

// parser reads an expression from left to right and lowers it to comparisons at once, as what stands behind a vlan
// depends on it.
type parser struct {
	words  []word
	expr   string
	next   int
	depth  int
	layout Layout
	tags   int        // vlan words read so far
	last   qualifiers // of the identifier before, which an identifier alone takes over
}

// qualifiers are the words in front of an identifier.
type qualifiers struct {
	proto, dir, kind string
}

// fail is an error at the word last read, or at the end of the expression.
func (p *parser) fail(at word, format string, args ...any) error {
	return fmt.Errorf("filter %q, byte %d: %s: %w", p.expr, at.at, fmt.Sprintf(format, args...), ErrSyntax)
}

// peek is the next word, "" at the end.
func (p *parser) peek() word {
	if p.next < len(p.words) {
		return p.words[p.next]
	}
	return word{at: len(p.expr)}
}

// read takes the next word.
func (p *parser) read() word {
	w := p.peek()
	p.next++
	return w
}

// accept takes the next word if it is text.
func (p *parser) accept(text string) bool {
	if p.peek().text != text {
		return false
	}
	p.next++
	return true
}

// expression reads terms joined by and and or, which bind alike.
func (p *parser) expression() (node, error) {
	left, err := p.term()
	for err == nil {
		var right node
		switch {
		case p.accept("and"):
			if right, err = p.term(); err == nil {
				left = all(left, right)
			}
		case p.accept("or"):
			if right, err = p.term(); err == nil {
				left = either(left, right)
			}
		default:
			return left, nil
		}
	}
	return nil, err
}

// term reads a negation, something in parentheses or a primitive.
func (p *parser) term() (node, error) {
	at := p.peek()
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail(at, "nested deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	switch {
	case p.accept("not"):
		n, err := p.term()
		return negation{n}, err
	case p.accept("("):
		n, err := p.expression()
		if err == nil && !p.accept(")") {
			err = p.fail(p.peek(), "expected ) for the ( at byte %d", at.at)
		}
		return n, err
	}
	return p.primitive()
}
