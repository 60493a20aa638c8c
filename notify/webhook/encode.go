package webhook

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"mlids"
	"mlids/alert"
	"mlids/notify"
)

// encode makes a request's body of the messages that have a form; errs has an error at the place of the others.
func encode(cfg Config, batch []*notify.Message, now time.Time, errs []error) (body []byte, kept []*notify.Message, err error) {
	switch cfg.Format {
	case "slack":
		body, err = slack(batch)
	case "alertmanager":
		body, err = alertmanager(batch, now)
	case "row", "eve", "ecs":
		body, kept = list(cfg, batch, now, errs)
		return body, kept, nil
	default:
		err = fmt.Errorf("%w %q: known are row, eve, ecs, slack and alertmanager", notify.ErrFormat, cfg.Format)
	}
	return body, batch, err
}

// list is one message, or an array of them when the sink was told to gather more than one.
func list(cfg Config, batch []*notify.Message, now time.Time, errs []error) (body []byte, kept []*notify.Message) {
	var texts [][]byte
	for i, m := range batch {
		text, err := notify.Format(cfg.Format).Append(nil, m, now)
		if err != nil {
			errs[i] = fmt.Errorf("webhook: %w: %w", notify.ErrPermanent, err)
			continue
		}
		texts, kept = append(texts, text), append(kept, m)
	}
	body = bytes.Join(texts, []byte(",\n"))
	if cfg.Batch > 1 {
		body = fmt.Appendf(nil, "[%s]", body)
	}
	return body, kept
}

// slack is a text for an incoming webhook of Slack, also read by Mattermost and Rocket.Chat: a line for each message.
func slack(batch []*notify.Message) ([]byte, error) {
	var text strings.Builder
	for i, m := range batch {
		if i > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(line(m))
	}
	return json.Marshal(map[string]string{"text": text.String()})
}

// line says in Slack's markup what happened.
func line(m *notify.Message) string {
	if m.Kind == notify.Action {
		return "*mlids* action: `" + plain(string(m.Body)) + "`"
	}
	a, v := &m.Alert, m.Alert.Verdict
	s := "*mlids* " + plain(v.Class)
	if a.Src.IsValid() && a.Dst.IsValid() {
		s += fmt.Sprintf(" from `%s` to `%s`", plain(alert.Endpoint(a.Src, a.SrcPort, a.Proto)), plain(alert.Endpoint(a.Dst, a.DstPort, a.Proto)))
	}
	s += fmt.Sprintf(", probability %.4f (model %s)", v.Probability, plain(v.Model))
	if t, ok := alert.TechniqueOf(v.Class); ok && v.Attack {
		s += fmt.Sprintf(", <%s|%s %s>", t.URL(), t.ID, plain(t.Name))
	}
	if why := alert.Reason(a, 3); why != "" {
		s += ": " + plain(why)
	}
	return s
}

// plain escapes what Slack reads as markup and links (https://api.slack.com/reference/surfaces/formatting#escaping).
func plain(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'", "\n", " ").Replace(s)
}

// amAlert is an alert of Alertmanager's API v2, POST /api/v2/alerts.
type amAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    string            `json:"startsAt,omitempty"`
	EndsAt      string            `json:"endsAt"`
}

// alertFor is how long Alertmanager keeps an alert of ours, which nothing ends.
const alertFor = 5 * time.Minute

// alertmanager makes alerts whose labels group them: one alert for a class and a source, however many flows it has.
func alertmanager(batch []*notify.Message, now time.Time) ([]byte, error) {
	alerts := make([]amAlert, 0, len(batch))
	for _, m := range batch {
		a, v := &m.Alert, m.Alert.Verdict
		labels := map[string]string{
			"alertname": "MlidsAttack", "class": v.Class, "model": v.Model, "severity": severity(v), "source": address(a), "kind": string(m.Kind),
		}
		if m.Kind == notify.Action {
			labels["alertname"], labels["severity"] = "MlidsAction", "info"
		}
		notes := map[string]string{
			"summary": cmp.Or(summary(m), v.Class), "id": a.ID, "probability": fmt.Sprintf("%.4f", v.Probability), "community_id": a.CommunityID,
			"reason": alert.Reason(a, 5),
		}
		if t, ok := alert.TechniqueOf(v.Class); ok && v.Attack {
			labels["technique"] = t.ID
			notes["technique"], notes["technique_url"] = t.Name, t.URL()
		}
		alerts = append(alerts, amAlert{Labels: full(labels), Annotations: full(notes), EndsAt: now.Add(alertFor).UTC().Format(time.RFC3339Nano)})
	}
	return json.Marshal(alerts)
}

func summary(m *notify.Message) string {
	a := &m.Alert
	if m.Kind == notify.Action {
		return string(m.Body)
	}
	if !a.Src.IsValid() || !a.Dst.IsValid() {
		return a.Verdict.Class
	}
	return a.Verdict.Class + " from " + alert.Endpoint(a.Src, a.SrcPort, a.Proto) + " to " + alert.Endpoint(a.Dst, a.DstPort, a.Proto)
}

func severity(v mlids.Verdict) string {
	if !v.Attack {
		return "info"
	}
	return map[int]string{1: "critical", 2: "warning", 3: "info"}[alert.Severity(v)]
}

func address(a *mlids.Alert) string {
	if !a.Src.IsValid() {
		return ""
	}
	return a.Src.Unmap().WithZone("").String()
}

// full leaves out labels without a value, which Alertmanager has no use for.
func full(m map[string]string) map[string]string {
	for k, v := range m {
		if v == "" {
			delete(m, k)
		}
	}
	return m
}
