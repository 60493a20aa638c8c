package filter

import (
	"fmt"
	"math"
	"slices"

	"golang.org/x/net/bpf"
)

// maxProgram is how many instructions the kernel takes (BPF_MAXINSNS).
const maxProgram = 4096

// Compile translates an expression for frames of the given layout. The program returns keep, the number of bytes to
// capture, for frames that match and 0 for others. The empty expression matches all frames.
func Compile(expr string, layout Layout, keep uint32) ([]bpf.Instruction, error) {
	if len(expr) > maxExpression {
		return nil, fmt.Errorf("filter of %d bytes, at most %d: %w", len(expr), maxExpression, ErrSyntax)
	}
	p := &parser{words: words(expr), expr: expr, layout: layout}
	if len(p.words) == 0 {
		return []bpf.Instruction{bpf.RetConstant{Val: keep}}, nil
	}
	tree, err := p.expression()
	if err != nil {
		return nil, err
	}
	if rest := p.peek(); rest.text != "" {
		return nil, p.fail(rest, "expected and, or or the end, not %q", rest.text)
	}
	a := &assembler{}
	yes, no := a.label(), a.label()
	tree.emit(a, yes, no)
	a.place(yes)
	a.code = append(a.code, line{op: bpf.RetConstant{Val: keep}})
	a.place(no)
	a.code = append(a.code, line{op: bpf.RetConstant{}})
	if len(a.code) > maxProgram {
		return nil, fmt.Errorf("filter %.40q… needs %d instructions, the kernel takes %d: %w", expr, len(a.code), maxProgram, ErrSyntax)
	}
	return a.assemble()
}

// node is a test that jumps to one label when it holds and to another when not.
type node interface {
	emit(a *assembler, yes, no label)
}

type (
	negation    struct{ not node }
	conjunction struct{ first, second node }
	alternative struct{ first, second node }
)

func all(a, b node) node    { return conjunction{a, b} }
func either(a, b node) node { return alternative{a, b} }

func (n negation) emit(a *assembler, yes, no label) { n.not.emit(a, no, yes) }

func (n conjunction) emit(a *assembler, yes, no label) {
	more := a.label()
	n.first.emit(a, more, no)
	a.place(more)
	n.second.emit(a, yes, no)
}

func (n alternative) emit(a *assembler, yes, no label) {
	more := a.label()
	n.first.emit(a, yes, more)
	a.place(more)
	n.second.emit(a, yes, no)
}

// comparison loads a value and compares it.
type comparison struct {
	load  []bpf.Instruction
	test  bpf.JumpTest
	value uint32
}

func compare(load []bpf.Instruction, test bpf.JumpTest, value uint32) comparison {
	return comparison{load, test, value}
}

// load takes a field at a fixed offset.
func load(off, size int) []bpf.Instruction {
	return []bpf.Instruction{bpf.LoadAbsolute{Off: uint32(off), Size: size}}
}

// masked compares only these bits.
func (c comparison) masked(mask uint32) comparison {
	if mask != math.MaxUint32 {
		c.load = append(slices.Clone(c.load), bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask})
	}
	return c
}

// between compares what header loads with both ends of a range.
func between(header []bpf.Instruction, low, high uint16) node {
	if low == high {
		return compare(header, bpf.JumpEqual, uint32(low))
	}
	return all(compare(header, bpf.JumpGreaterOrEqual, uint32(low)), compare(header, bpf.JumpLessOrEqual, uint32(high)))
}

func (c comparison) emit(a *assembler, yes, no label) {
	for _, op := range c.load {
		a.code = append(a.code, line{op: op})
	}
	a.code = append(a.code, line{op: bpf.JumpIf{Cond: c.test, Val: c.value}, jump: true, yes: yes, no: no})
}
