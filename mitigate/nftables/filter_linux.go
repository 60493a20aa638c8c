package nftables

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	nft "github.com/google/nftables"
	"github.com/google/nftables/expr"

	"mlids/mitigate"
)

// ErrBlock is returned for blocks that a host's filter cannot carry out.
var ErrBlock = errors.New("the packet filter cannot do that")

// Filter blocks at the ingress of one interface. It is safe for concurrent use.
type Filter struct {
	device string
	netns  int // file descriptor of a network namespace; 0 for the process's own

	mu      sync.Mutex
	until   map[string]time.Time // of the blocks that are rules
	allowed []netip.Prefix       // for a table that is made anew: somebody may take away all that the kernel has
}

var (
	_ mitigate.Enforcer = (*Filter)(nil)
	_ mitigate.Allower  = (*Filter)(nil)
)

// New makes a filter for an interface. It touches nothing; the table is made when it is needed.
func New(device string) (*Filter, error) {
	if device == "" || len(device) > 15 || strings.ContainsAny(device, "/ \t\n\x00") {
		return nil, fmt.Errorf("nftables: %q is no name of an interface", device)
	}
	return &Filter{device: device, until: map[string]time.Time{}}, nil
}

// Name is nftables:IFACE.
func (f *Filter) Name() string { return "nftables:" + f.device }

// Names in the table.
const (
	chainName = "ingress"
	allowMark = "allow"
)

func (f *Filter) table() *nft.Table {
	return &nft.Table{Family: nft.TableFamilyNetdev, Name: "mlids_" + f.device}
}

func (f *Filter) connect() (*nft.Conn, error) {
	var options []nft.ConnOption
	if f.netns != 0 {
		options = append(options, nft.WithNetNSFd(f.netns))
	}
	c, err := nft.New(options...)
	if err != nil {
		return nil, fmt.Errorf("nftables: %w", err)
	}
	return c, nil
}

// dropSet is the set of sources of one IP version that are dropped.
func dropSet(t *nft.Table, six bool) *nft.Set {
	if six {
		return &nft.Set{Table: t, Name: "drop6", KeyType: nft.TypeIP6Addr, HasTimeout: true}
	}
	return &nft.Set{Table: t, Name: "drop4", KeyType: nft.TypeIPAddr, HasTimeout: true}
}

// ensure makes the table as it is to be, unless it is there. It returns its chain.
func (f *Filter) ensure(c *nft.Conn) (*nft.Chain, error) {
	t := f.table()
	chain := &nft.Chain{
		Name: chainName, Table: t, Type: nft.ChainTypeFilter, Hooknum: nft.ChainHookIngress, Priority: nft.ChainPriorityFirst, Device: f.device,
	}
	chains, err := c.ListChainsOfTableFamily(t.Family)
	if err != nil {
		return nil, fmt.Errorf("nftables: list chains: %w", err)
	}
	if slices.ContainsFunc(chains, func(x *nft.Chain) bool { return x.Table.Name == t.Name && x.Name == chainName }) {
		return chain, nil
	}
	c.AddTable(t)
	c.AddChain(chain)
	for _, six := range []bool{false, true} {
		set := dropSet(t, six)
		if err := c.AddSet(set, nil); err != nil {
			return nil, fmt.Errorf("nftables: set %s: %w", set.Name, err)
		}
		look := append(isVersion(six), loadAddress(six, true)...)
		look = append(look, &expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID}, &expr.Counter{}, drop())
		c.AddRule(&nft.Rule{Table: t, Chain: chain, Exprs: look, UserData: []byte("sources")})
	}
	letPass(c, chain, f.allowed)
	return chain, flush(c)
}

// flush carries a transaction out.
func flush(c *nft.Conn) error {
	if err := c.Flush(); err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	return nil
}

// Apply makes a block. Redirects are for switches.
func (f *Filter) Apply(_ context.Context, b mitigate.Block) error {
	left := time.Until(b.Until)
	switch {
	case b.Kind == mitigate.Redirect, b.Match.Port != (mitigate.Port{}):
		return fmt.Errorf("%w: %s %v: a host has no ports of a switch", ErrBlock, b.Kind, b.Match)
	case left <= 0:
		return fmt.Errorf("%w: block %s is over since %v", ErrBlock, b.ID, b.Until)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c, chain, err := f.without(b.ID)
	if err != nil {
		return err
	}
	if plainSource(&b) {
		return f.element(c, &b, left)
	}
	exprs, err := ruleOf(&b)
	if err != nil {
		return err
	}
	c.AddRule(&nft.Rule{Table: chain.Table, Chain: chain, Exprs: exprs, UserData: []byte(b.ID)})
	if err := flush(c); err != nil {
		return err
	}
	f.until[b.ID] = b.Until
	return nil
}

// without begins a change that takes a block away if it is there. The caller holds mu.
func (f *Filter) without(id string) (*nft.Conn, *nft.Chain, error) {
	c, err := f.connect()
	if err != nil {
		return nil, nil, err
	}
	chain, err := f.ensure(c)
	if err != nil {
		return nil, nil, err
	}
	return c, chain, f.takeAway(c, chain, id)
}

// plainSource reports whether a block drops all of one source, and so is an element of a set.
func plainSource(b *mitigate.Block) bool {
	return b.Kind == mitigate.Drop && b.Match == mitigate.Match{Src: b.Match.Src} && b.Match.Src.IsSingleIP()
}

// element puts a source into its set. The kernel takes it out when its time is over.
func (f *Filter) element(c *nft.Conn, b *mitigate.Block, left time.Duration) error {
	set := dropSet(f.table(), b.Match.Src.Addr().Is6())
	e := nft.SetElement{Key: b.Match.Src.Addr().AsSlice(), Timeout: max(left.Round(time.Millisecond), time.Millisecond), Comment: b.ID}
	if err := c.SetAddElements(set, []nft.SetElement{e}); err != nil {
		return fmt.Errorf("nftables: block %s: %w", b.ID, err)
	}
	return flush(c)
}

// Lift takes a block away, by its ID alone.
func (f *Filter) Lift(_ context.Context, b mitigate.Block) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, _, err := f.without(b.ID)
	if err != nil {
		return err
	}
	delete(f.until, b.ID)
	return flush(c)
}

// takeAway adds to the transaction what removes a block.
func (f *Filter) takeAway(c *nft.Conn, chain *nft.Chain, id string) error {
	return f.each(c, chain, func(found string, set *nft.Set, e nft.SetElement, r *nft.Rule) error {
		switch {
		case found != id:
			return nil
		case r != nil:
			return c.DelRule(r)
		}
		return c.SetDeleteElements(set, []nft.SetElement{{Key: e.Key}})
	})
}

// each visits the blocks in the kernel: elements of sets, and rules.
func (f *Filter) each(c *nft.Conn, chain *nft.Chain, see func(id string, set *nft.Set, e nft.SetElement, r *nft.Rule) error) error {
	for _, six := range []bool{false, true} {
		set := dropSet(chain.Table, six)
		elements, err := c.GetSetElements(set)
		if err != nil {
			return fmt.Errorf("nftables: set %s: %w", set.Name, err)
		}
		for _, e := range elements {
			if err := see(e.Comment, set, e, nil); err != nil {
				return fmt.Errorf("nftables: set %s: %w", set.Name, err)
			}
		}
	}
	rules, err := c.GetRules(chain.Table, chain)
	if err != nil {
		return fmt.Errorf("nftables: rules: %w", err)
	}
	for _, r := range rules {
		if isID(string(r.UserData)) {
			if err := see(string(r.UserData), nil, nft.SetElement{}, r); err != nil {
				return fmt.Errorf("nftables: rule: %w", err)
			}
		}
	}
	return nil
}

// isID tells the rules of blocks from others of the table.
func isID(text string) bool {
	return len(text) == 12 && strings.Trim(text, "0123456789abcdef") == ""
}

// Blocks lists what the kernel has. Rules whose time is over go first: the kernel ends elements only.
func (f *Filter) Blocks(context.Context) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, err := f.connect()
	if err != nil {
		return nil, err
	}
	chain, err := f.ensure(c)
	if err != nil {
		return nil, err
	}
	var ids []string
	now := time.Now()
	err = f.each(c, chain, func(id string, _ *nft.Set, _ nft.SetElement, r *nft.Rule) error {
		if until, ok := f.until[id]; ok && r != nil && now.After(until) {
			delete(f.until, id)
			return c.DelRule(r)
		}
		ids = append(ids, id)
		return nil
	})
	return ids, errors.Join(err, flush(c))
}

// Allow puts rules that let sources pass before all others.
func (f *Filter) Allow(_ context.Context, sources []netip.Prefix) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, err := f.connect()
	if err != nil {
		return err
	}
	chain, err := f.ensure(c)
	if err != nil {
		return err
	}
	rules, err := c.GetRules(chain.Table, chain)
	if err != nil {
		return fmt.Errorf("nftables: rules: %w", err)
	}
	for _, r := range rules {
		if string(r.UserData) == allowMark {
			if err := c.DelRule(r); err != nil {
				return fmt.Errorf("nftables: %w", err)
			}
		}
	}
	letPass(c, chain, sources)
	if err := flush(c); err != nil {
		return err
	}
	f.allowed = slices.Clone(sources)
	return nil
}

// letPass puts a rule for each source before all others.
func letPass(c *nft.Conn, chain *nft.Chain, sources []netip.Prefix) {
	for _, p := range sources {
		exprs := append(isVersion(p.Addr().Is6()), matchPrefix(p, true)...)
		exprs = append(exprs, &expr.Verdict{Kind: expr.VerdictAccept})
		c.InsertRule(&nft.Rule{Table: chain.Table, Chain: chain, Exprs: exprs, UserData: []byte(allowMark)})
	}
}

// Remove takes the table away, with all that is blocked.
func (f *Filter) Remove() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, err := f.connect()
	if err != nil {
		return err
	}
	if _, err := f.ensure(c); err != nil {
		return err
	}
	c.DelTable(f.table())
	clear(f.until)
	return flush(c)
}
