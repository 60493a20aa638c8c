package api

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// notes writes down what an observer is told.
type notes []string

func (n *notes) Predicted(model string, classes []string, rows []int, confidence []float64) {
	told := slices.Clone(confidence)
	for i := range told {
		told[i] = math.Round(100*told[i]) / 100
	}
	*n = append(*n, fmt.Sprint(model, classes, rows, told))
}

func TestObserver(t *testing.T) {
	s := newServer(t, Config{}, stumps(t)).Server
	var told notes
	s.deps.Observe = &told
	dos := connection(t, map[string]any{"count": 500})
	for _, body := range []any{[]any{connection(t, nil), dos, dos}, dos, []any{}, "no connection"} {
		ask(s, post("/predict", "application/json", document(t, body)))
	}
	want := notes{
		"kdd99[normal probe r2l u2r dos] [1 0 0 0 2] [0.99 0 0 0 1.98]",
		"kdd99[normal probe r2l u2r dos] [0 0 0 0 1] [0 0 0 0 0.99]",
		"kdd99[normal probe r2l u2r dos] [0 0 0 0 0] [0 0 0 0 0]",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told\n%q\nwant\n%q", told, want)
	}
}
