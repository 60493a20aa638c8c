package capture

import (
	"context"
	"fmt"

	"golang.org/x/net/bpf"

	"mlids/capture/filter"
)

// filtered is a Source that leaves out the frames which do not match.
type filtered struct {
	Source
	expr     string
	programs map[LinkType]*bpf.VM // nil for link types that cannot be filtered
}

// Filter gives the frames of src that match expr, a filter as package filter describes; less and greater compare the
// captured length. Frames of link types without a known layout pass, for the decoder to count. A live source filters
// better in the kernel: see LiveConfig.
func Filter(src Source, expr string) (Source, error) {
	if _, err := compileFilter(expr, LinkEthernet); err != nil {
		return nil, err
	}
	return &filtered{Source: src, expr: expr, programs: make(map[LinkType]*bpf.VM)}, nil
}

// Next fills f with the next frame that matches.
func (s *filtered) Next(ctx context.Context, f *Frame) error {
	for n := 1; ; n++ {
		if err := s.Source.Next(ctx, f); err != nil {
			return err
		}
		if n%contextPeriod == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		vm, ok := s.programs[f.Link]
		if !ok {
			var err error
			if vm, err = compileFilter(s.expr, f.Link); err != nil {
				return err
			}
			s.programs[f.Link] = vm
		}
		if vm == nil {
			return nil
		}
		if keep, err := vm.Run(f.Data); err != nil {
			return fmt.Errorf("filter %q: %w", s.expr, err)
		} else if keep > 0 {
			return nil
		}
	}
}

// ahead passes on what the source behind it can.
func (s *filtered) ahead(keep bool) bool {
	src, ok := s.Source.(aheadOf)
	return ok && src.ahead(keep)
}

func compileFilter(expr string, link LinkType) (*bpf.VM, error) {
	layout, ok := layoutOf(link)
	if !ok {
		return nil, nil
	}
	program, err := filter.Compile(expr, layout, MaxFrame)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFilter, err)
	}
	return bpf.NewVM(program)
}

// layoutOf is where the frames of a link type have the fields that filters look at.
func layoutOf(link LinkType) (filter.Layout, bool) {
	switch link {
	case LinkEthernet:
		return filter.Layout{Proto: etherSize - 2, Network: etherSize}, true
	case LinkSLL:
		return filter.Layout{Proto: linkSLLSize - 2, Network: linkSLLSize}, true
	case LinkSLL2:
		return filter.Layout{Proto: 0, Network: linkSLL2Size}, true
	case LinkNull, LinkLoop:
		return filter.Layout{Proto: -1, Network: linkNullSize}, true
	case LinkRaw, LinkRawBSD, LinkRawOpen, LinkIPv4, LinkIPv6:
		return filter.Layout{Proto: -1}, true
	}
	return filter.Layout{}, false
}
