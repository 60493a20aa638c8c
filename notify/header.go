package notify

import (
	"encoding/json"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"mlids"
	"mlids/alert"
)

// Names of the headers of a message in the stream. What is not known has no header.
const (
	HeaderID          = "Mlids-Id"
	HeaderMsgID       = "Nats-Msg-Id" // the same; JetStream drops a second message with it for a while
	HeaderKind        = "Mlids-Kind"
	HeaderPrediction  = "Mlids-Prediction" // attack or benign
	HeaderClass       = "Mlids-Class"
	HeaderProbability = "Mlids-Probability"
	HeaderThreshold   = "Mlids-Threshold"
	HeaderModel       = "Mlids-Model"
	HeaderVersion     = "Mlids-Model-Version"
	HeaderStart       = "Mlids-Start" // RFC 3339
	HeaderEnd         = "Mlids-End"
	HeaderSrc         = "Mlids-Src"
	HeaderDst         = "Mlids-Dst"
	HeaderSrcPort     = "Mlids-Src-Port"
	HeaderDstPort     = "Mlids-Dst-Port"
	HeaderProto       = "Mlids-Protocol" // number
	HeaderCommunityID = "Mlids-Community-Id"
	HeaderFwdPackets  = "Mlids-Fwd-Packets"
	HeaderBwdPackets  = "Mlids-Bwd-Packets"
	HeaderFwdBytes    = "Mlids-Fwd-Bytes"
	HeaderBwdBytes    = "Mlids-Bwd-Bytes"
	HeaderTop         = "Mlids-Top" // JSON array of contributions
)

// Prediction words.
const (
	Attack = "attack"
	Benign = "benign"
)

// Word is the prediction as a word: attack or benign.
func (m *Message) Word() string { return predicted(m.Alert.Verdict.Attack) }

func predicted(attack bool) string {
	if attack {
		return Attack
	}
	return Benign
}

// headerList collects headers; the values share one array.
type headerList struct {
	h      map[string][]string
	values []string
}

func (l *headerList) set(name, value string) {
	l.values = append(l.values, value)
	n := len(l.values)
	l.h[name] = l.values[n-1 : n : n]
}

// text sets what may hold any bytes, as far as Decode reads it; none is left out.
func (l *headerList) text(name, value string) {
	if value = strings.ToValidUTF8(value, "\uFFFD"); len(value) > maxText {
		value = strings.ToValidUTF8(value[:maxText], "")
	}
	if value != "" {
		l.set(name, escape(value, func(c byte) bool { return c > ' ' && c < 0x7f && c != '%' }))
	}
}

func (l *headerList) number(name string, v uint64) {
	if v != 0 {
		l.set(name, strconv.FormatUint(v, 10))
	}
}

// share sets a number from 0 to 1. Infinite ones, which models from elsewhere may say, are no number.
func (l *headerList) share(name string, v float64) {
	if math.IsInf(v, 0) {
		v = math.NaN()
	}
	l.set(name, strconv.FormatFloat(v, 'g', -1, 64))
}

func (l *headerList) time(name string, t time.Time) {
	if !t.IsZero() {
		l.set(name, t.UTC().Format(time.RFC3339Nano))
	}
}

func (l *headerList) addr(name string, a netip.Addr) {
	if a.IsValid() {
		l.text(name, a.String())
	}
}

// Header is everything of a message but its body; Decode reads it back.
func (m *Message) Header() map[string][]string {
	l := headerList{h: make(map[string][]string, 16), values: make([]string, 0, 21)}
	a, v := &m.Alert, &m.Alert.Verdict
	l.text(HeaderID, a.ID)
	if id := l.h[HeaderID]; id != nil {
		l.h[HeaderMsgID] = id
	}
	l.set(HeaderKind, string(m.Kind))
	l.set(HeaderPrediction, m.Word())
	l.text(HeaderClass, v.Class)
	l.share(HeaderProbability, v.Probability)
	l.share(HeaderThreshold, v.Threshold)
	l.text(HeaderModel, v.Model)
	l.text(HeaderVersion, v.Version)
	l.time(HeaderStart, a.Start)
	l.time(HeaderEnd, a.End)
	l.text(HeaderCommunityID, a.CommunityID)
	l.endpoints(a)
	l.number(HeaderFwdPackets, a.FwdPackets)
	l.number(HeaderBwdPackets, a.BwdPackets)
	l.number(HeaderFwdBytes, a.FwdBytes)
	l.number(HeaderBwdBytes, a.BwdBytes)
	if top := alert.Contributions(a.Top); len(top) > 0 {
		if text, err := json.Marshal(top[:min(len(top), maxTop)]); err == nil { // always: they have JSON
			l.set(HeaderTop, string(text))
		}
	}
	return l.h
}

func (l *headerList) endpoints(a *mlids.Alert) {
	l.addr(HeaderSrc, a.Src)
	l.addr(HeaderDst, a.Dst)
	l.number(HeaderSrcPort, uint64(a.SrcPort))
	l.number(HeaderDstPort, uint64(a.DstPort))
	l.number(HeaderProto, uint64(a.Proto))
}
