package filter

import (
	"fmt"
	"math"

	"golang.org/x/net/bpf"
)

// label is a place in the program that jumps aim at.
type label int

// line is an instruction whose jumps still aim at labels.
type line struct {
	op      bpf.Instruction
	jump    bool
	far     bool // the targets are out of reach of one instruction, which then takes three
	yes, no label
}

// assembler collects lines and turns labels into distances.
type assembler struct {
	code   []line
	labels []int // index in code
}

func (a *assembler) label() label {
	a.labels = append(a.labels, -1)
	return label(len(a.labels) - 1)
}

// place puts a label in front of the next line.
func (a *assembler) place(l label) { a.labels[l] = len(a.code) }

// assemble resolves the labels. Conditional jumps reach 255 instructions; those that aim further are widened, which
// moves others, until all fit.
func (a *assembler) assemble() ([]bpf.Instruction, error) {
	at := a.addresses()
	for a.widen(at) {
		at = a.addresses()
	}
	program := make([]bpf.Instruction, 0, at[len(a.code)])
	for i, l := range a.code {
		jump, ok := l.op.(bpf.JumpIf)
		if !ok {
			program = append(program, l.op)
			continue
		}
		yes, no := at[a.labels[l.yes]]-at[i]-1, at[a.labels[l.no]]-at[i]-1
		if l.far {
			jump.SkipFalse = 1
			program = append(program, jump, bpf.Jump{Skip: uint32(yes - 1)}, bpf.Jump{Skip: uint32(no - 2)})
			continue
		}
		jump.SkipTrue, jump.SkipFalse = uint8(yes), uint8(no)
		program = append(program, jump)
	}
	if len(program) > maxProgram {
		return nil, fmt.Errorf("filter needs %d instructions, the kernel takes %d: %w", len(program), maxProgram, ErrSyntax)
	}
	return program, nil
}

// addresses is where each line begins in the program, and the end.
func (a *assembler) addresses() []int {
	at := make([]int, len(a.code)+1)
	for i, l := range a.code {
		at[i+1] = at[i] + 1
		if l.far {
			at[i+1] = at[i] + 3
		}
	}
	return at
}

// widen marks the jumps that do not reach their targets and says whether there were any.
func (a *assembler) widen(at []int) bool {
	changed := false
	for i := range a.code {
		l := &a.code[i]
		if !l.jump || l.far {
			continue
		}
		reach := max(at[a.labels[l.yes]], at[a.labels[l.no]]) - at[i] - 1
		if reach > math.MaxUint8 {
			l.far, changed = true, true
		}
	}
	return changed
}
