package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	"mlids"
)

// ErrMessage is returned for what is no message of mlids.
var ErrMessage = errors.New("not a message of mlids")

// Limits on what a message from a queue may hold.
const (
	maxText = 1 << 10 // bytes of a header
	maxTop  = 64      // contributions
)

// Decode reads a message from a stream's headers and body. Whoever can publish there can send anything: all of it is checked,
// and the body is JSON. The body is not copied.
func Decode(header map[string][]string, body []byte) (*Message, error) {
	r := headerReader{h: header}
	m := &Message{Kind: Kind(r.raw(HeaderKind)), Body: body}
	word := r.raw(HeaderPrediction)
	m.Alert = mlids.Alert{
		ID: r.text(HeaderID),
		Verdict: mlids.Verdict{
			Attack: word == Attack, Class: r.text(HeaderClass), Probability: r.share(HeaderProbability),
			Threshold: r.share(HeaderThreshold), Model: r.text(HeaderModel), Version: r.text(HeaderVersion),
		},
		Start: r.time(HeaderStart), End: r.time(HeaderEnd),
		Src: r.addr(HeaderSrc), Dst: r.addr(HeaderDst),
		SrcPort: uint16(r.number(HeaderSrcPort, 16)), DstPort: uint16(r.number(HeaderDstPort, 16)), Proto: uint8(r.number(HeaderProto, 8)),
		CommunityID: r.text(HeaderCommunityID),
		FwdPackets:  r.number(HeaderFwdPackets, 64), BwdPackets: r.number(HeaderBwdPackets, 64),
		FwdBytes: r.number(HeaderFwdBytes, 64), BwdBytes: r.number(HeaderBwdBytes, 64),
		Top: r.top(),
	}
	switch {
	case r.err != nil:
		return nil, r.err
	case m.Kind != Prediction && m.Kind != Action:
		return nil, fmt.Errorf("%w: %s is %.40q", ErrMessage, HeaderKind, m.Kind)
	case word != Attack && word != Benign:
		return nil, fmt.Errorf("%w: %s is %.40q", ErrMessage, HeaderPrediction, word)
	case m.Alert.ID == "":
		return nil, fmt.Errorf("%w: it has no %s", ErrMessage, HeaderID)
	case !json.Valid(body):
		return nil, fmt.Errorf("%w: the body is not JSON", ErrMessage)
	}
	return m, nil
}

// headerReader reads headers and keeps the first error.
type headerReader struct {
	h   map[string][]string
	err error
}

func (r *headerReader) fail(name, value string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s is %.40q", ErrMessage, name, value)
	}
}

func (r *headerReader) raw(name string) string {
	values := r.h[name]
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func (r *headerReader) text(name string) string {
	raw := r.raw(name)
	if len(raw) > 3*maxText {
		r.fail(name, raw)
		return ""
	}
	text, err := url.PathUnescape(raw)
	if err != nil || !utf8.ValidString(text) || len(text) > maxText {
		r.fail(name, raw)
		return ""
	}
	return text
}

// share is a number from 0 to 1. A model from elsewhere may have said NaN, which is one, too.
func (r *headerReader) share(name string) float64 {
	raw := r.raw(name)
	if raw == "" {
		return 0
	}
	v, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsInf(v, 0) {
		r.fail(name, raw)
	}
	return v
}

func (r *headerReader) number(name string, bits int) uint64 {
	raw := r.raw(name)
	if raw == "" {
		return 0
	}
	v, err := strconv.ParseUint(raw, 10, bits)
	if err != nil {
		r.fail(name, raw)
	}
	return v
}

func (r *headerReader) time(name string) time.Time {
	raw := r.raw(name)
	if raw == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, raw)
	if err != nil {
		r.fail(name, raw)
	}
	return t.UTC()
}

func (r *headerReader) addr(name string) netip.Addr {
	raw := r.text(name)
	if raw == "" {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(raw)
	if err != nil {
		r.fail(name, raw)
	}
	return a
}

func (r *headerReader) top() []mlids.Contribution {
	raw := r.raw(HeaderTop)
	if raw == "" {
		return nil
	}
	var top []mlids.Contribution
	if err := json.Unmarshal([]byte(raw), &top); err != nil || len(top) > maxTop {
		r.fail(HeaderTop, raw)
		return nil
	}
	return top
}
