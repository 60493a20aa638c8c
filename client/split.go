package client

import (
	"encoding/json"
	"fmt"
	"math"
)

// encodeSplit writes a table as pandas does with orient="split", with null for numbers that JSON lacks.
func encodeSplit(columns []string, rows [][]any) ([]byte, error) {
	if columns == nil {
		columns = []string{}
	}
	names, err := json.Marshal(columns)
	if err != nil {
		return nil, fmt.Errorf("encode columns: %w", err)
	}
	b := append([]byte(`{"columns":`), names...)
	b = append(b, `,"data":[`...)
	for i, row := range rows {
		if len(row) != len(columns) {
			return nil, fmt.Errorf("row %d has %d values, want %d: one for each column", i+1, len(row), len(columns))
		}
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendRow(b, row); err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
	}
	return append(b, "]}"...), nil
}

func appendRow(b []byte, row []any) ([]byte, error) {
	b = append(b, '[')
	for j, v := range row {
		if j > 0 {
			b = append(b, ',')
		}
		text, err := json.Marshal(finite(v))
		if err != nil {
			return nil, fmt.Errorf("value %d: %w", j+1, err)
		}
		b = append(b, text...)
	}
	return append(b, ']'), nil
}

// finite replaces floats that JSON lacks by null.
func finite(v any) any {
	f, ok := v.(float64)
	if f32, is32 := v.(float32); is32 {
		f, ok = float64(f32), true
	}
	if ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return nil
	}
	return v
}
