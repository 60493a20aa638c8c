package influx

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Address says where a table is and how to get at it.
type Address struct {
	Host        string // host:port
	TLS         bool
	Database    string // of InfluxDB 2 and 3 the bucket
	Measurement string

	Where      string    // InfluxQL condition for the rows to read
	Start, End time.Time // rows to read: from Start, before End. Start is also the time of the first row written
	Limit      int       // rows to read at most; 0 for all

	Org     string        // of InfluxDB 2
	V2      bool          // writes go to /api/v2/write
	Label   string        // name of the label's tag to write; "" for the schema's
	Name    string        // what the table is called in errors, logs and models; "" for the address
	CA      string        // file of certificates to trust in place of the system's
	Timeout time.Duration // for an answer, and between its parts: 60 s

	user, password, token string
}

// Is reports whether a source is an address of this package.
func Is(source string) bool {
	return strings.HasPrefix(source, "influxdb://") || strings.HasPrefix(source, "influxdbs://")
}

// Parse reads influxdb://[user:pass@]host:port/database?measurement=M, or influxdbs:// for TLS. Further parameters are
// where, start, end (RFC 3339, a date, or nanoseconds), limit, label, name, timeout and ca (a file); org, bucket and token for
// InfluxDB 2 and 3; password_file and token_file. What the address leaves out of the credentials is taken from env, by
// the names of InfluxDB's own tools: INFLUX_USERNAME, INFLUX_PASSWORD, INFLUX_TOKEN. Nil env stands for none.
func Parse(source string, env func(name string) (string, bool)) (*Address, error) {
	u, err := url.Parse(source)
	if err != nil || !Is(source) { // the text of err would show the password
		return nil, fmt.Errorf("%w: want influxdb://[user:pass@]host:port/database?measurement=M, special characters as %%XX", ErrAddress)
	}
	a := &Address{Host: u.Host, TLS: u.Scheme == "influxdbs", user: u.User.Username(), Timeout: time.Minute}
	a.password, _ = u.User.Password()
	a.Database = strings.Trim(u.Path, "/")
	if u.Port() == "" {
		a.Host += ":8086"
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("%w %s: the parameters cannot be read; want special characters as %%XX", ErrAddress, a.place())
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		values := query[name]
		if len(values) != 1 {
			return nil, fmt.Errorf("%w %s: parameter %s is given twice", ErrAddress, a.place(), name)
		}
		if err := a.set(name, values[0]); err != nil {
			return nil, fmt.Errorf("%w %s: parameter %s: %w", ErrAddress, a.place(), name, err)
		}
	}
	a.credentials(env)
	return a, a.check(u)
}

// parameters are the names that set knows.
var parameters = []string{
	"bucket", "ca", "end", "label", "limit", "measurement", "name", "org", "password_file", "start", "timeout", "token",
	"token_file", "where",
}

func (a *Address) set(name, value string) (err error) {
	switch name {
	case "measurement":
		a.Measurement = value
	case "where":
		a.Where = value
	case "start":
		a.Start, err = parseTime(value)
	case "end":
		a.End, err = parseTime(value)
	case "limit":
		if a.Limit, err = strconv.Atoi(value); err != nil || a.Limit < 1 {
			err = fmt.Errorf("%q; want a number of rows", value)
		}
	case "timeout":
		if a.Timeout, err = time.ParseDuration(value); err != nil || a.Timeout <= 0 {
			err = fmt.Errorf("%q; want a time like 30s", value)
		}
	case "org":
		a.Org, a.V2 = value, true
	case "bucket":
		a.Database, a.V2 = value, true
	case "label":
		a.Label = value
	case "name":
		a.Name = value
	case "ca":
		a.CA = value
	case "token":
		a.token, a.V2 = value, true
	case "token_file":
		a.token, err = readSecret(value)
		a.V2 = true
	case "password_file":
		a.password, err = readSecret(value)
	default:
		err = fmt.Errorf("not known; there are %s", strings.Join(parameters, ", "))
	}
	return err
}

// readSecret reads a file of one line.
func readSecret(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// credentials fills in from the environment what the address does not say.
func (a *Address) credentials(env func(string) (string, bool)) {
	if env == nil {
		return
	}
	fill := func(to *string, name string) {
		if v, ok := env(name); ok {
			*to = cmp.Or(*to, v)
		}
	}
	if a.V2 {
		fill(&a.token, "INFLUX_TOKEN")
	} else {
		fill(&a.user, "INFLUX_USERNAME")
		fill(&a.password, "INFLUX_PASSWORD")
	}
}

func (a *Address) check(u *url.URL) error {
	switch {
	case u.Hostname() == "":
		return fmt.Errorf("%w: the host is missing", ErrAddress)
	case a.Database == "" || strings.Contains(a.Database, "/"):
		return fmt.Errorf("%w %s: want one database behind the host, or bucket=", ErrAddress, a.place())
	case u.Fragment != "":
		return fmt.Errorf("%w %s: # ends the address; want it as %%23", ErrAddress, a.place())
	case slices.ContainsFunc([]byte(a.Measurement+a.Label), func(c byte) bool { return c < ' ' || c == '\\' }):
		return fmt.Errorf("%w %s: control characters and backslashes are not for names", ErrAddress, a.place())
	case !a.End.IsZero() && !a.Start.Before(a.End):
		return fmt.Errorf("%w %s: start is not before end", ErrAddress, a.place())
	}
	return nil
}

// place is the address without what is secret, and without parameters.
func (a *Address) place() string {
	scheme, user := "influxdb", ""
	if a.TLS {
		scheme = "influxdbs"
	}
	if a.user != "" {
		user = url.User(a.user).String() + "@"
	}
	return scheme + "://" + user + a.Host + "/" + url.PathEscape(a.Database)
}

// String is the address without what is secret.
func (a *Address) String() string {
	if a.Measurement == "" {
		return a.place()
	}
	return a.place() + "?measurement=" + url.QueryEscape(a.Measurement)
}

// Title is what the table is called: Name, or else the address without what is secret.
func (a *Address) Title() string { return cmp.Or(a.Name, a.String()) }

// parseTime reads RFC 3339, a date, or nanoseconds since 1970.
func parseTime(text string) (time.Time, error) {
	if ns, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(0, ns).UTC(), nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q; want 2026-01-31T12:00:00Z, 2026-01-31 or nanoseconds since 1970", text)
}
