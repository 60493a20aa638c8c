package notify

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"mlids"
	"mlids/alert"
)

// Attribute is a property of a message that travels outside its body, where filters see it: an attribute of SNS, SQS and
// Pub/Sub, a header of Kafka and NATS.
type Attribute struct {
	Name, Value string
	Number      bool // Value is a decimal number
}

// Names of attributes. Those of a prediction are ten at most, which is as many as SNS hands on to SQS.
const (
	AttrPrediction  = "prediction" // attack or benign
	AttrClass       = "class"
	AttrProbability = "probability" // of the class, a number
	AttrModel       = "model"
	AttrVersion     = "version" // the model's
	AttrID          = "id"      // of the alert; duplicates have the same
	AttrTime        = "time"    // of the flow's first packet, RFC 3339
	AttrSource      = "src"     // address that spoke first
	AttrCommunityID = "community_id"
	AttrAlert       = "alert" // all of the alert as JSON, see alert.Encode
	AttrKind        = "kind"  // action, of messages that are no predictions
)

// Attributes lists what filters may ask of a message; none is empty.
func Attributes(m *Message) ([]Attribute, error) {
	a, v := &m.Alert, m.Alert.Verdict
	text, err := alert.Encode(a)
	if err != nil {
		return nil, err
	}
	list := []Attribute{{AttrKind, string(m.Kind), false}}
	if m.Kind == Prediction {
		list = []Attribute{
			{AttrPrediction, m.Word(), false},
			{AttrProbability, decimal(v.Probability), true},
		}
	}
	src, at := "", ""
	if a.Src.IsValid() {
		src = a.Src.Unmap().WithZone("").String()
	}
	if !a.Start.IsZero() {
		at = a.Start.UTC().Format(time.RFC3339Nano)
	}
	for _, more := range []Attribute{
		{AttrClass, v.Class, false}, {AttrModel, v.Model, false}, {AttrVersion, v.Version, false}, {AttrID, a.ID, false},
		{AttrTime, at, false}, {AttrSource, src, false}, {AttrCommunityID, a.CommunityID, false}, {AttrAlert, string(text), false},
	} {
		if more.Value != "" {
			more.Value = strings.ToValidUTF8(more.Value, "\uFFFD")
			list = append(list, more)
		}
	}
	return list, nil
}

// decimal writes a number without an exponent, which filters of SNS do not read.
func decimal(f float64) string { return strconv.FormatFloat(f, 'f', 6, 64) }

// Parse makes a message of what a queue hands out. Without the attribute that holds the whole alert (ML-IDS sent only
// prediction) the alert has what the others and the body tell.
func Parse(attribute func(name string) string, body []byte) (*Message, error) {
	m := &Message{Kind: Kind(cmp.Or(attribute(AttrKind), string(Prediction))), Body: body}
	if text := attribute(AttrAlert); text != "" {
		a, err := alert.Decode([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", AttrAlert, err)
		}
		m.Alert = *a
		return m, nil
	}
	a := &m.Alert
	a.ID, a.CommunityID = attribute(AttrID), attribute(AttrCommunityID)
	p, _ := strconv.ParseFloat(attribute(AttrProbability), 64) // 0 when unknown
	a.Verdict = mlids.Verdict{
		Class: attribute(AttrClass), Probability: p, Model: attribute(AttrModel), Version: attribute(AttrVersion),
	}
	prediction := cmp.Or(attribute(AttrPrediction), predictionOf(body))
	a.Verdict.Attack = prediction == Attack
	a.Verdict.Class = cmp.Or(a.Verdict.Class, prediction)
	return m, nil
}

// predictionOf reads the last column of a one-row table in Pandas split JSON.
func predictionOf(body []byte) string {
	row, err := ParseRow(body)
	if err != nil || len(row.Columns) == 0 || row.Columns[len(row.Columns)-1] != "prediction" {
		return ""
	}
	n, ok := row.Values[len(row.Values)-1].(float64)
	return map[bool]string{true: predicted(n == 1), false: ""}[ok]
}

// Row is one row of a table: a name and a value for each column.
type Row struct {
	Columns []string
	Values  []any // numbers (float64), strings, booleans or nil
}

// ParseRow reads the body of a prediction.
func ParseRow(body []byte) (*Row, error) {
	var split struct {
		Columns []string `json:"columns"`
		Data    [][]any  `json:"data"`
	}
	if err := json.Unmarshal(body, &split); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	if len(split.Data) != 1 || len(split.Data[0]) != len(split.Columns) {
		return nil, fmt.Errorf("body: want one row with a value for each of %d columns", len(split.Columns))
	}
	return &Row{split.Columns, split.Data[0]}, nil
}
