package metric

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the evaluation for people: false-positive rate beside recall, then classes, attack types and costs.
func (e *Evaluation) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	p := &printer{w: t}
	p.line("rows\t%.0f\t(%d different)", e.Weight, e.Rows)
	if !e.Natural {
		p.line("priors\tnot natural\tthe classes' shares are not those of a network: read off no real-world precision or accuracy")
	}
	e.writeBinary(p)
	p.gap()
	e.writeClasses(p)
	e.writeTypes(p)
	e.writeCost(p)
	if p.err != nil {
		return fmt.Errorf("evaluation table: %w", p.err)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("evaluation table: %w", err)
	}
	return nil
}

// printer remembers the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// gap is an empty line, which ends a table's alignment.
func (p *printer) gap() { p.line("") }

func (e *Evaluation) writeBinary(p *printer) {
	b := e.Binary
	benign, attacks := b.FP+b.TN, b.TP+b.FN
	p.gap()
	p.line("attack or benign\tFPR\trecall\tprecision\tF1\taccuracy\tthreshold")
	p.line("as decided\t%s\t%s\t%s\t%.4f\t%s\t%.6g", of(b.FPR, benign), of(b.Recall, attacks), of(b.Precision, b.TP+b.FP), b.F1, percent(b.Accuracy), b.Threshold)
	if benign == 0 || attacks == 0 {
		p.gap()
		p.line("rows of one kind only\tno false-positive rate and recall side by side, no ranking")
	} else {
		e.writeRanking(p)
	}
	p.line("log loss\t%.6f", b.LogLoss)
	p.line("calibration error\t%.6f", b.CalibrationError)
}

// writeRanking tells how well scores part attacks from benign rows, of which there are some each.
func (e *Evaluation) writeRanking(p *printer) {
	for _, l := range e.Budgets {
		p.line("FPR at most %s\t%s\t%s\t\t\t\t%.6g", percent(l.MaxFPR), percent(l.FPR), percent(l.Recall), l.Threshold)
	}
	p.gap()
	b := e.Binary
	p.line("ROC AUC\t%.6f\t(95%%: %.6f to %.6f)", b.ROCAUC, e.AUC.Low, e.AUC.High)
	p.line("PR AUC\t%.6f", b.PRAUC)
}

func (e *Evaluation) writeClasses(p *printer) {
	p.line("actual \\ said\t%s\tprecision\trecall\tF1\trows", strings.Join(e.Classes, "\t"))
	for k, c := range e.Class {
		var cells strings.Builder
		for _, v := range e.Matrix[k] {
			fmt.Fprintf(&cells, "%.0f\t", v)
		}
		said := 0.0
		for _, row := range e.Matrix {
			said += row[k]
		}
		p.line("%s\t%s%s\t%s\t%.4f\t%.0f", c.Name, cells.String(), of(c.Precision, said), of(c.Recall, c.Weight), c.F1, c.Weight)
	}
	p.gap()
	p.line("class accuracy\t%s\tclass log loss %.6f", percent(e.Correct), e.LogLoss)
}

func (e *Evaluation) writeTypes(p *printer) {
	if len(e.Type) == 0 {
		return
	}
	p.gap()
	p.line("type\tclass\trows\tflagged\tclass right\tmean score")
	for _, t := range e.Type {
		p.line("%s\t%s\t%.0f\t%s\t%s\t%.4f", t.Name, t.Class, t.Weight, percent(t.Flagged), percent(t.Correct), t.Mean)
	}
}

func (e *Evaluation) writeCost(p *printer) {
	if e.Cost == nil {
		return
	}
	p.gap()
	p.line("cost per row\t%.4f\tsaying the most probable class", e.Cost.Likeliest)
	p.line("\t%.4f\tsaying the class of least expected cost", e.Cost.Expected)
}

// of is a share of so many rows, and no number where there are none.
func of(share, rows float64) string {
	if rows == 0 {
		return "–"
	}
	return percent(share)
}

// percent keeps apart what matters at both ends: 99.98% and 0.013%.
func percent(v float64) string { return fmt.Sprintf("%.4g%%", 100*v) }
