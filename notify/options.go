package notify

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrOption marks a way out's URL that has an unknown option, or one with a wrong value.
var ErrOption = errors.New("wrong option")

// Options are the query of a way out's URL. A leaf reads those it knows, and at the end Err tells of the others.
type Options struct {
	values url.Values
	known  []string
	errs   []error
}

// NewOptions takes the query of a URL.
func NewOptions(u *url.URL) *Options {
	values, err := url.ParseQuery(u.RawQuery)
	o := &Options{values: values}
	if err != nil {
		o.errs = append(o.errs, fmt.Errorf("%w: %w", ErrOption, err))
	}
	return o
}

// String is an option's value, or def when it is not given. It may be given once.
func (o *Options) String(name, def string) string {
	o.known = append(o.known, name)
	given, ok := o.values[name]
	switch {
	case !ok:
		return def
	case len(given) > 1:
		o.fail(name, "is given %d times", len(given))
	}
	return given[0]
}

// Choice is an option that takes one of some values, the first of which is the default.
func (o *Options) Choice(name string, of ...string) string {
	s := o.String(name, of[0])
	if !slices.Contains(of, s) {
		o.fail(name, "is %q; known are %s", s, strings.Join(of, ", "))
	}
	return s
}

// Bool is true, false, 1 or 0; the option without a value is true.
func (o *Options) Bool(name string, def bool) bool {
	s := o.String(name, strconv.FormatBool(def))
	b, err := strconv.ParseBool(s)
	if err != nil && s != "" {
		o.fail(name, "is %q; want true or false", s)
	}
	return b || s == ""
}

// Int is a whole number from least to most.
func (o *Options) Int(name string, def, least, most int) int {
	s := o.String(name, strconv.Itoa(def))
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		o.fail(name, "is %q; want a number from %d to %d", s, least, most)
		return def
	}
	return n
}

// Duration is a time such as 10s; days (7d) are known, too.
func (o *Options) Duration(name string, def, least, most time.Duration) time.Duration {
	s := o.String(name, def.String())
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int
		if n, err = strconv.Atoi(days); n > 36500 {
			n = 36500
		}
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d < least || d > most {
		o.fail(name, "is %q; want a time from %v to %v", s, least, most)
		return def
	}
	return d
}

// Bytes is a size such as 64MiB or 100MB; plain numbers are bytes.
func (o *Options) Bytes(name string, def, least int64) int64 {
	s := o.String(name, strconv.FormatInt(def, 10))
	number := strings.TrimRight(s, "KMGTiB")
	unit, ok := map[string]int64{
		"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	}[s[len(number):]]
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !ok || n < 0 || n > 1<<62/unit || n*unit < least {
		o.fail(name, "is %q; want a size of at least %d bytes, such as 64MiB", s, least)
		return def
	}
	return n * unit
}

// Secret is an option's value, or the first line of the file that NAME-file names, so that the command line need not show it.
func (o *Options) Secret(name string) string {
	value, path := o.String(name, ""), o.String(name+"-file", "")
	if path == "" {
		return value
	}
	text, err := os.ReadFile(path)
	if err != nil {
		o.fail(name+"-file", "cannot be read: %w", err)
	}
	if value != "" {
		o.fail(name, "is given twice: %s-file has it, too", name)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(line)
}

func (o *Options) fail(name, format string, args ...any) {
	o.errs = append(o.errs, fmt.Errorf("%w: %s "+format, append([]any{ErrOption, name}, args...)...))
}

// Err tells of wrong values and of options that nobody asked for.
func (o *Options) Err() error {
	for _, name := range slices.Sorted(maps.Keys(o.values)) {
		if !slices.Contains(o.known, name) {
			known := slices.Sorted(slices.Values(o.known))
			o.errs = append(o.errs, fmt.Errorf("%w %q: known here are %s", ErrOption, name, strings.Join(known, ", ")))
		}
	}
	return errors.Join(o.errs...)
}
