package sagemaker

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"mlids"
)

// say writes verdicts as text: class and, where it is known, probability.
func say(verdicts []mlids.Verdict) string {
	var parts []string
	for _, v := range verdicts {
		text := v.Class
		if v.Attack {
			text = "!" + text
		}
		if !math.IsNaN(v.Probability) {
			text += fmt.Sprintf(":%.4g", v.Probability)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

func TestAnswers(t *testing.T) {
	for name, test := range map[string]struct{ media, body, want string }{
		"integers, as ML-IDS had them": {"application/json", `[1, 0, 0]`, "!attack benign benign"},
		"floats":                       {"application/json", `[1.0, 0.0, 0.0]`, "!attack benign benign"},
		"probabilities":                {"application/json", `[0.93, 0.2, 1.0]`, "!attack:0.93 benign:0.8 !attack:1"},
		"booleans":                     {"application/json", `[true,false,false]`, "!attack benign benign"},
		"numbers as text":              {"application/json", `["1","0","0.75"]`, "!attack:1 benign:1 !attack:0.75"},
		"labels":                       {"application/json", `["BENIGN","DoS Hulk","normal."]`, "benign !DoS Hulk benign"},
		"class numbers":                {"application/json", `[0,14,2]`, "benign !14 !2"},
		"nested":                       {"application/json", `[[1],[0],[[0]]]`, "!attack benign benign"},
		"row vector":                   {"application/json", `[[1,0,1]]`, "!attack benign !attack"},
		"two classes":                  {"application/json", `[[0.1,0.9],[0.75,0.25],[0.5,0.5]]`, "!attack:0.9 benign:0.75 !attack:0.5"},
		"many classes":                 {"application/json", `[[0.2,0.1,0.7],[0.3,0.35,0.35],[0.9,0.05,0.05]]`, "!2:0.7 !1:0.35 benign:0.9"},
		"MLflow 2":                     {"application/json", `{"predictions": [1, 0, 0]}`, "!attack benign benign"},
		"TensorFlow":                   {"application/json", "{\"predictions\": [[0.9], [0.1], [0.2]\n]}", "!attack:0.9 benign:0.9 benign:0.8"},
		"data frame":                   {"application/json", `{"predictions": [{"0": 1}, {"0": 0}, {"0": 0}]}`, "!attack benign benign"},
		"linear learner":               {"application/json", `{"predictions":[{"score":0.9,"predicted_label":1},{"score":0.2,"predicted_label":0},{"score":0.4,"predicted_label":1.0}]}`, "!attack:0.9 benign:0.8 !attack:0.4"},
		"linear learner, classes":      {"application/json", `{"predictions":[{"score":[0.1,0.9],"predicted_label":1},{"score":[0.8,0.2],"predicted_label":0},{"score":[0.1,0.2,0.7],"predicted_label":2}]}`, "!attack:0.9 benign:0.8 !2:0.7"},
		"scores only":                  {"application/json", `[{"score":0.9},{"score":0.2},{"score":0.5}]`, "!attack:0.9 benign:0.8 !attack:0.5"},
		"mlids":                        {"application/json", `[{"prediction":1,"class":"dos","probability":0.8,"threshold":0.5},{"prediction":0,"class":"benign","probability":0.9,"threshold":0.5},{"prediction":1,"class":"attack","probability":null}]`, "!dos:0.8 benign:0.9 !attack"},
		"extra members":                {"application/json", `{"model":"x","predictions":[1,0,0],"n":{"a":[1]}}`, "!attack benign benign"},
		"outputs":                      {"application/json", `{"outputs":[1,0,0]}`, "!attack benign benign"},
		"no media type":                {"", ` [1,0,0] `, "!attack benign benign"},
		"wrong media type":             {"text/html; charset=utf-8", `[1,0,0]`, "!attack benign benign"},
		"JSON as CSV":                  {"text/csv", `[1,0,0]`, "!attack benign benign"},
		"CSV":                          {"text/csv; charset=utf-8", "1\n0\r\n0\n", "!attack benign benign"},
		"CSV probabilities":            {"text/csv", "0.75\n0.25\n1e-9", "!attack:0.75 benign:0.75 benign:1"},
		"CSV labels":                   {"text/csv", "\"DDoS\"\nBenign\nBenign\n", "!DDoS benign benign"},
		"CSV on one line":              {"text/csv", "0.75,0.25,0", "!attack:0.75 benign:0.75 benign:1"},
		"CSV classes":                  {"text/csv", "0.1,0.9\n0.9,0.1\n0.7,0.3\n", "!attack:0.9 benign:0.9 benign:0.7"},
		"JSON lines":                   {"application/jsonlines", "{\"predicted_label\":1,\"score\":0.9}\n{\"predicted_label\":0,\"score\":0.2}\n\n0\n", "!attack:0.9 benign:0.8 benign"},
		"byte order mark":              {"application/json", "\uFEFF[1,0,0]", "!attack benign benign"},
	} {
		t.Run(name, func(t *testing.T) {
			verdicts := make([]mlids.Verdict, 3)
			if err := parseAnswer(test.media, []byte(test.body), 0.5, verdicts); err != nil {
				t.Fatal(err)
			}
			if got := say(verdicts); got != test.want {
				t.Errorf("%s\nis %s\nwant %s", test.body, got, test.want)
			}
		})
	}
}

func TestAnswersForOneRow(t *testing.T) {
	for body, want := range map[string]string{
		`1`: "!attack", `[0]`: "benign", `{"predictions":[1]}`: "!attack", `{"predictions":1}`: "!attack", `"DDoS"`: "!DDoS",
		`[[0.2,0.8]]`: "!attack:0.8", `{"predictions":[[0.2,0.8]]}`: "!attack:0.8", `{"prediction":0}`: "benign",
		`{"score":0.25}`: "benign:0.75", `{"predictions":{"predicted_label":1}}`: "!attack",
	} {
		verdicts := make([]mlids.Verdict, 1)
		if err := parseAnswer("application/json", []byte(body), 0.5, verdicts); err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if got := say(verdicts); got != want {
			t.Errorf("%s is %s, want %s", body, got, want)
		}
	}
}

func TestThresholdOfAnswers(t *testing.T) {
	verdicts := make([]mlids.Verdict, 2)
	if err := parseAnswer("application/json", []byte(`[0.6,[0.35,0.65]]`), 0.7, verdicts); err != nil {
		t.Fatal(err)
	}
	if got, want := say(verdicts), "benign:0.4 benign:0.35"; got != want || verdicts[0].Threshold != 0.7 {
		t.Errorf("%s with threshold %v, want %s", got, verdicts[0].Threshold, want)
	}
}

func TestAnswersOfNoUse(t *testing.T) {
	for name, test := range map[string]struct {
		media, body string
		want        error
	}{
		"too few":              {"application/json", `[1]`, errRows},
		"too many":             {"application/json", `[1,0,0,1]`, errRows},
		"nothing":              {"application/json", ``, errAnswer},
		"no rows":              {"application/json", `[]`, errRows},
		"cut off":              {"application/json", `[1,0,`, errAnswer},
		"two documents":        {"application/json", `[1,0,0][1]`, errAnswer},
		"a page":               {"text/html", `<html>502</html>`, errAnswer},
		"null":                 {"application/json", `[null,0,0]`, errAnswer},
		"NaN":                  {"application/json", `[NaN,0,0]`, errAnswer},
		"NaN as text":          {"application/json", `["NaN",0,0]`, errAnswer},
		"isolation forest":     {"application/json", `[-1,1,1]`, errAnswer},
		"margins":              {"application/json", `[1.7,0,0]`, errAnswer},
		"no probabilities":     {"application/json", `[[0.5,0.9],[1,0],[1,0]]`, errAnswer},
		"labels in an array":   {"application/json", `[["a","b"],[1],[1]]`, errAnswer},
		"deep":                 {"application/json", strings.Repeat("[", 50) + "1" + strings.Repeat("]", 50), errAnswer},
		"deeper":               {"application/json", strings.Repeat("[", 1e6), errAnswer},
		"objects in objects":   {"application/json", `{"predictions":{"predictions":[1,0,0]}}`, errAnswer},
		"an object of no use":  {"application/json", `{"error":"boom","code":3}`, errAnswer},
		"a message":            {"application/json", `{"message":"boom"}`, errRows},
		"a name twice":         {"application/json", `{"predictions":[1,0,0],"predictions":[0,0,0]}`, errAnswer},
		"empty label":          {"application/json", `["",0,0]`, errAnswer},
		"long label":           {"application/json", `["` + strings.Repeat("x", 1000) + `",0,0]`, errAnswer},
		"control characters":   {"application/json", `["a\u0000b",0,0]`, errAnswer},
		"CSV of other lines":   {"text/csv", "1\n0\n", errRows},
		"CSV without values":   {"text/csv", "1\n\"\"\n0", errAnswer},
		"CSV of odd fields":    {"text/csv", "a,b\nc,d\ne,f\n", errAnswer},
		"broken JSON lines":    {"application/jsonlines", "{\n}\n1", errAnswer},
		"two on a line":        {"application/jsonlines", "1 1\n1\n", errAnswer},
		"a score that is text": {"application/json", `[{"score":"x"},1,1]`, errAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			verdicts := make([]mlids.Verdict, 3)
			err := parseAnswer(test.media, []byte(test.body), 0.5, verdicts)
			if !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`[1,0,0]`, `{"predictions":[[0.1,0.9],[1],{"score":0.2}]}`, "1\n0\n0.5", "{\"label\":\"x\"}\n1\n1", `[[1,0,1]]`,
		`[{"prediction":1,"class":"dos","probability":0.8}]`,
	} {
		for media := range 4 {
			f.Add(uint8(media), []byte(seed))
		}
	}
	types := []string{"application/json", "text/csv", "application/jsonlines", ""}
	f.Fuzz(func(t *testing.T, media uint8, body []byte) {
		for rows := range 4 {
			verdicts := make([]mlids.Verdict, rows)
			if err := parseAnswer(types[int(media)%len(types)], body, 0.5, verdicts); err != nil {
				continue
			}
			for _, v := range verdicts {
				p := v.Probability
				if v.Class == "" || len(v.Class) > maxLabel || v.Attack == (v.Class == benign) || p < -0.01 || p > 1.01 {
					t.Fatalf("%q gave %+v", body, v)
				}
			}
		}
	})
}
