package label

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"mlids"
	"mlids/feature"
)

// Errors of this package, wrapped with file, line and column.
var (
	ErrColumns = errors.New("wrong columns in label file")
	ErrValue   = errors.New("wrong value in label file")
)

// MaxRules bounds a label file.
const MaxRules = 10_000_000

// setters read a field into a rule, by column. Flow ids come first, so that columns of their own overrule them.
var setters = []struct {
	names []string
	set   func(*rule, string) error
}{
	{[]string{"flow_id"}, (*rule).setID},
	{[]string{"src_ip", "source_ip"}, func(x *rule, s string) error { return setPrefix(&x.src, s) }},
	{[]string{"dst_ip", "destination_ip"}, func(x *rule, s string) error { return setPrefix(&x.dst, s) }},
	{[]string{"src_port", "source_port"}, func(x *rule, s string) error { return setNumber(&x.srcPort, s, 1<<16-1) }},
	{[]string{"dst_port", "destination_port"}, func(x *rule, s string) error { return setNumber(&x.dstPort, s, 1<<16-1) }},
	{[]string{"protocol"}, (*rule).setProtocol},
	{[]string{"start"}, func(x *rule, s string) error { _, err := setTime(&x.start, s); return err }},
	{[]string{"end"}, (*rule).setEnd},
	{[]string{"timestamp"}, (*rule).setTimestamp},
	{[]string{"label"}, func(x *rule, s string) error { x.label = s; return nil }},
}

// remarks are columns that choose no flows: those that data sets and other tools add to CICFlowMeter's, and what people note
// beside their rules.
var remarks = []string{
	"", "id", "attempted_category", "attack_type", "community_id", "end_reason",
	"comment", "comments", "description", "name", "note", "notes",
}

// Read reads rules from CSV; name stands for the file in errors. Files that name no label, or rules that cannot match by
// their form, are ErrColumns and ErrValue.
func Read(r io.Reader, name string) (*Rules, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord, in.ReuseRecord, in.TrimLeadingSpace = -1, true, true
	header, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("%w: %s has no header: %w", ErrColumns, name, err)
	}
	columns, err := places(header)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	rules := &Rules{pairs: map[[2]netip.Addr][]int{}}
	for {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rules, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrValue, name, err)
		}
		line, _ := in.FieldPos(0)
		if rules.Len() == MaxRules {
			return nil, fmt.Errorf("%w: %s:%d: more than %d rules", ErrValue, name, line, MaxRules)
		}
		x, err := parse(fields, columns)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
		rules.add(x)
	}
}

// places finds the setters' columns in a header, -1 for those that are not there.
func places(header []string) ([]int, error) {
	columns := make([]int, len(setters))
	for i, s := range setters {
		columns[i] = slices.IndexFunc(header, func(h string) bool { return slices.Contains(s.names, feature.Normalise(h)) })
	}
	if columns[len(columns)-1] < 0 {
		return nil, fmt.Errorf("%w: there is no column label", ErrColumns)
	}
	if err := strangers(header, columns); err != nil {
		return nil, err
	}
	if len(header) > 1 && slices.Max(columns[:len(columns)-1]) < 0 { // its labels would be for every flow
		return nil, fmt.Errorf("%w: none of %s says which flows a label is for; columns that do are %s", ErrColumns,
			strings.Join(header, ", "), known())
	}
	return columns, nil
}

// strangers tells columns that are neither rules nor known to go with them: a slip in a name would label too many flows.
func strangers(header []string, columns []int) error {
	printed, err := flowColumns()
	if err != nil {
		return err
	}
	for i, h := range header {
		if slices.Contains(columns, i) || slices.Contains(remarks, feature.Normalise(h)) || printed(h) {
			continue
		}
		return fmt.Errorf("%w: column %d, %q, is none that label files have: flows are chosen by %s; the columns of flow tables, "+
			"comment, note, description and name may stand beside them", ErrColumns, i+1, h, known())
	}
	return nil
}

// flowColumns knows the columns of CICFlowMeter's tables, in all their spellings.
func flowColumns() (func(spelling string) bool, error) {
	all, err := feature.Schemas()
	if err != nil {
		return nil, err
	}
	v4, err := all.Find("cicflow/v4")
	if err != nil {
		return nil, err
	}
	old, err := all.Find("cicflow/2018")
	return func(spelling string) bool {
		_, inV4 := v4.Index(spelling)
		_, in2018 := old.Index(spelling)
		return inV4 || in2018
	}, err
}

// known are the columns that choose flows.
func known() string {
	names := make([]string, 0, len(setters))
	for _, s := range setters[:len(setters)-1] {
		names = append(names, s.names[0])
	}
	return strings.Join(names, ", ")
}

func parse(fields []string, columns []int) (rule, error) {
	x := rule{srcPort: -1, dstPort: -1, proto: -1, start: math.MinInt64, end: math.MaxInt64}
	for i, s := range setters {
		if columns[i] < 0 || columns[i] >= len(fields) {
			continue
		}
		field := strings.TrimSpace(fields[columns[i]])
		if field == "" || field == "*" {
			continue
		}
		if err := s.set(&x, field); err != nil {
			return x, fmt.Errorf("%w: %s: %w", ErrValue, s.names[0], err)
		}
	}
	switch {
	case x.label == "":
		return x, fmt.Errorf("%w: label is empty", ErrValue)
	case x.start > x.end:
		return x, fmt.Errorf("%w: start is after end", ErrValue)
	}
	return x, nil
}

// setID reads SRC-DST-SPORT-DPORT-PROTO.
func (x *rule) setID(s string) error {
	parts := strings.Split(s, "-")
	if len(parts) != 5 {
		return fmt.Errorf("%q has %d parts, want SRC-DST-SPORT-DPORT-PROTO", s, len(parts))
	}
	return errors.Join(setPrefix(&x.src, parts[0]), setPrefix(&x.dst, parts[1]), setNumber(&x.srcPort, parts[2], 1<<16-1),
		setNumber(&x.dstPort, parts[3], 1<<16-1), x.setProtocol(parts[4]))
}

func setPrefix(p *netip.Prefix, s string) error {
	if strings.Contains(s, "/") {
		parsed, err := netip.ParsePrefix(s)
		*p = parsed.Masked()
		return err
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return err
	}
	a = a.Unmap()
	*p = netip.PrefixFrom(a, a.BitLen())
	return nil
}

func setNumber(n *int, s string, most int) error {
	v, err := strconv.Atoi(s)
	if err != nil || v < 0 || v > most {
		return fmt.Errorf("%q is no number from 0 to %d", s, most)
	}
	*n = v
	return nil
}

func (x *rule) setProtocol(s string) error {
	named := map[string]int{"tcp": mlids.ProtoTCP, "udp": mlids.ProtoUDP, "icmp": mlids.ProtoICMP, "icmpv6": mlids.ProtoICMPv6, "sctp": mlids.ProtoSCTP}
	if n, ok := named[strings.ToLower(s)]; ok {
		x.proto = n
		return nil
	}
	return setNumber(&x.proto, s, 255)
}

// setEnd includes the whole of the last second, or whatever the time is given to.
func (x *rule) setEnd(s string) error {
	unit, err := setTime(&x.end, s)
	x.end = through(x.end, unit)
	return err
}

func (x *rule) setTimestamp(s string) error {
	unit, err := setTime(&x.start, s)
	x.end = through(x.start, unit)
	return err
}

// through is the last nanosecond of a unit of time.
func through(t, unit int64) int64 {
	if t > math.MaxInt64-unit {
		return math.MaxInt64
	}
	return t + unit - 1
}

// maxSeconds is how far from 1970 int64 counts nanoseconds: the year 2262.
const maxSeconds = math.MaxInt64 / 1_000_000_000

// nanoseconds is a time as flows have it; what lies beyond them, such as the year 9999, is as late or early as can be.
func nanoseconds(at time.Time) int64 {
	switch s := at.Unix(); {
	case s >= maxSeconds:
		return math.MaxInt64
	case s <= -maxSeconds:
		return math.MinInt64
	}
	return at.UnixNano()
}

// setTime reads a time and tells to what it is given, in ns.
func setTime(t *int64, s string) (unit int64, err error) {
	unit = int64(time.Second)
	if _, fraction, ok := strings.Cut(s, "."); ok {
		digits := len(fraction) - len(strings.TrimLeft(fraction, "0123456789"))
		for range min(digits, 9) {
			unit /= 10
		}
	}
	if v, err := strconv.ParseFloat(s, 64); err == nil {
		if math.IsNaN(v) || math.Abs(v) >= maxSeconds {
			return 0, fmt.Errorf("%q is no time", s)
		}
		whole, part := math.Modf(v)
		*t = int64(whole)*int64(time.Second) + int64(math.Round(part*1e6))*int64(time.Microsecond)
		return max(unit, int64(time.Microsecond)), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, "02/01/2006 15:04:05", "02/01/2006 03:04:05 PM"} {
		if at, err := time.Parse(layout, s); err == nil {
			*t = nanoseconds(at)
			return unit, nil
		}
	}
	return 0, fmt.Errorf("%q is no time: want 2006-01-02T15:04:05Z, 2006-01-02 15:04:05, 02/01/2006 15:04:05 or seconds since 1970", s)
}
