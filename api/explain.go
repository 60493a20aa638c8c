package api

import (
	"encoding/json"

	"mlids"
)

// maxExplain is how many inputs an answer may name for a row.
const maxExplain = 100

// explained is the answer with explain=most: detail, and the inputs that added most to the margin of the class. It computes
// exact contributions, far more than a verdict costs.
func (c *classifier) explained(most int) verdictForm {
	return func(dst []byte, v mlids.Verdict, class string, row []float32) []byte {
		dst = append(appendFields(dst, v, class, row), `,"explanation":[`...)
		why, err := c.judge.Explain(row, v)
		if err == nil {
			for i, cause := range why.Contributions[:min(most, len(why.Contributions))] {
				text, err := json.Marshal(cause)
				if cause.Contribution == 0 || err != nil {
					break // they are ordered: the rest is nothing, too
				}
				if i > 0 {
					dst = append(dst, ',')
				}
				dst = append(dst, text...)
			}
		}
		return append(dst, "]}"...)
	}
}
