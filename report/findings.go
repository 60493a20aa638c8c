package report

import (
	"cmp"
	"fmt"
	"slices"
)

const (
	leakGain     = 0.95 // share of the errors of always saying one class that a leak avoids
	leakAUC      = 0.995
	identityGain = 0.5
	rareRows     = 50
	largePSI     = 0.25 // a large change, by the rule of thumb of credit scoring, where the index comes from
)

// find writes down what matters.
func (r *DataReport) find(g *target) {
	if r.Rows == 0 {
		r.add(Problem, "The table has no rows.", "Check the source: the header was understood, but nothing follows it.")
		return
	}
	if len(r.Columns) == 0 {
		r.add(Problem, "None of the schema's columns could be read.", "Check that the schema is the one that the file follows.")
	}
	r.findLabels(g)
	r.findRepeats()
	r.findLeaks()
	r.findColumns()
	r.findDrift()
	r.findBest()
	order := []string{Problem, Warning, Note, Good}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Compare(slices.Index(order, a.Level), slices.Index(order, b.Level))
	})
}

func (r *DataReport) add(level, text, do string) {
	r.Findings = append(r.Findings, Finding{level, text, do})
}

// gain is the share of the errors of always saying the most frequent class that a rule avoids.
func (r *DataReport) gain(rule float64) float64 {
	most := 0.0
	for _, c := range r.Classes {
		most = max(most, c.Share)
	}
	if most >= 1 {
		return 0
	}
	return (rule - most) / (1 - most)
}

// suspect marks columns that know the class too well.
func (r *DataReport) suspect(g *target) {
	if g.class == nil || r.Rows < rareRows {
		return
	}
	for i := range r.Columns {
		c := &r.Columns[i]
		gain := r.gain(c.OneRule)
		switch {
		case c.Identity && gain >= identityGain:
			c.Leak = fmt.Sprintf("says who or when, not what, and its values alone tell the class of %s of the rows", percent(c.OneRule))
		case c.Identity:
		case gain >= leakGain:
			c.Leak = fmt.Sprintf("its values alone tell the class of %s of the rows", percent(c.OneRule))
		case c.AUC >= leakAUC:
			c.Leak = "its values alone put attacks and benign rows in order with AUC " + fixed(c.AUC)
		}
	}
}

func (r *DataReport) findLabels(g *target) {
	if g.class == nil {
		r.add(Note, "The rows have no labels.", "Nothing can be learned or judged by them; the page describes the columns only. If there is a label under another name, give it by --label.")
		return
	}
	if len(g.unknown) > 0 {
		r.add(Problem, plural(len(g.unknown), "label")+" without a class: "+list(g.unknown, 8)+" ("+plural(g.count[len(g.count)-1], "row")+").",
			"Training refuses them. Map them by a table attack,class (--classes).")
	}
	var present []Share
	for _, c := range r.Classes {
		if c.Rows > 0 && c.Name != noClass {
			present = append(present, c)
		}
	}
	slices.SortStableFunc(present, func(a, b Share) int { return cmp.Compare(b.Rows, a.Rows) })
	if len(present) < 2 {
		r.add(Problem, "All labelled rows are of one class.", "A classifier needs at least two; add benign or attack traffic.")
		return
	}
	r.findBalance(present)
}

func (r *DataReport) findBalance(present []Share) {
	if most := present[0]; most.Share > 0.75 {
		r.add(Warning, fmt.Sprintf("%s of the rows are %s: who always says that is right as often.", percent(most.Share), most.Name),
			"Do not judge by accuracy. Read recall and false-positive rate, per class.")
	}
	if r.Classes[0].Rows == 0 {
		r.add(Problem, "No row is benign.", "No false-positive rate can be measured or learned; add benign traffic.")
	} else if attacks := 1 - r.Classes[0].Share; attacks > 0.1 {
		r.add(Note, percent(attacks)+" of the rows are attacks; in a real network hardly any flow is.",
			"Recall and false-positive rate carry over, precision does not. Choose the threshold by a false-positive budget (train --fpr 0.01).")
	}
	var rare []string
	for _, l := range r.Labels {
		if l.Rows < rareRows {
			rare = append(rare, fmt.Sprintf("%s (%d)", l.Name, l.Rows))
		}
	}
	if len(rare) > 0 {
		r.add(Warning, fmt.Sprintf("%s with fewer than %d rows: %s.", plural(len(rare), "label"), rareRows, list(rare, 12)),
			"Figures for these are guesses: one row more or less moves them by percents.")
	}
}

func (r *DataReport) findRepeats() {
	p := r.Repeats
	share := float64(p.Rows) / float64(r.Rows)
	text := fmt.Sprintf("%s of %s rows (%s) repeat an earlier row; %s are different.", whole(p.Rows), whole(r.Rows), percent(share), whole(p.Distinct))
	switch {
	case p.Rows == 0:
		r.add(Good, "No row repeats another.", "")
	case share > 0.01:
		r.add(Warning, text, "A random split would put copies on both sides and flatter every model. mlids keeps equal rows together and trains on each once, with a weight.")
	default:
		r.add(Note, text, "mlids keeps equal rows on one side of every split.")
	}
	if p.Conflicts > 0 {
		r.add(levelIf(p.Ceiling < 0.99), fmt.Sprintf("%s equal in every column have different classes: no model can be right about more than %.6g%%.", plural(p.Conflicts, "row"), p.Ceiling*100),
			"Either the labels are wrong there, or what tells the classes apart is not in the columns.")
	}
}

// levelIf is a warning or a note.
func levelIf(bad bool) string {
	if bad {
		return Warning
	}
	return Note
}

func (r *DataReport) findLeaks() {
	var identity []string
	for _, c := range r.Columns {
		switch {
		case c.Leak == "":
		case c.Identity:
			identity = append(identity, fmt.Sprintf("%s (%s)", c.Name, percent(c.OneRule)))
		default:
			r.add(Problem, fmt.Sprintf("Column %s looks like a leak: %s.", c.Name, c.Leak),
				"Ask how it was made. If it would not exist, or look different, in live traffic, train without it.")
		}
	}
	r.some(Warning, identity, "column", "that say who or when, not what, alone tell the class of most rows: %s.",
		"A model would learn this lab's addresses, ports and hours. mlids leaves such columns out unless asked to keep them.")
}

func (r *DataReport) findColumns() {
	var constant, missing, infinite, negative, same, unknown []string
	for _, c := range r.Columns {
		switch {
		case c.Missing == r.Rows:
			missing = append(missing, c.Name+" (all)")
		case c.Missing > 0:
			missing = append(missing, fmt.Sprintf("%s (%s)", c.Name, percent(float64(c.Missing)/float64(r.Rows))))
		}
		if c.Constant && c.Missing < r.Rows && !c.Identity && r.Rows > 1 {
			constant = append(constant, c.Name)
		}
		if c.Infinite > 0 {
			infinite = append(infinite, fmt.Sprintf("%s (%s)", c.Name, whole(c.Infinite)))
		}
		if n := c.Numbers; n != nil && c.Unit != "" && n.Quantiles[0] < -1 { // -1 often stands for none
			negative = append(negative, fmt.Sprintf("%s (down to %s %s)", c.Name, number(n.Quantiles[0]), c.Unit))
		}
		if c.Same != "" {
			same = append(same, c.Name+" = "+c.Same)
		}
		if c.Unknown > 0 {
			unknown = append(unknown, fmt.Sprintf("%s (%s)", c.Name, plural(c.Unknown, "row")))
		}
	}
	r.some(Warning, missing, "column", "with missing values: %s.", "Trees send missing values their own way; linear models and networks take the mean. All-missing columns tell nothing.")
	r.some(Warning, infinite, "column", "with infinite values: %s.", "They are read as missing, as they would arrive in a request. Rates of flows without duration are the usual cause.")
	r.some(Warning, negative, "column", "that cannot be negative but are: %s.", "The tool that made the file overflowed or miscalculated. Such rows are wrong; see whether they are few.")
	r.some(Note, constant, "column", "with the same value in every row: %s.", "They tell nothing here; train --select drops them.")
	r.some(Note, same, "column", "that repeat another in every row: %s.", "One of each is enough; importance is otherwise shared between them.")
	r.some(Warning, unknown, "column", "with categories that the schema does not know: %s.", "A model sees them as none of the known ones.")
	if len(r.Pairs) > 0 {
		r.add(Note, fmt.Sprintf("%s of columns move together (correlation of at least %g), %s and %s most of all.", atMost(len(r.Pairs)), together, r.Pairs[0].A, r.Pairs[0].B),
			"Harmless for trees; for linear models and for reading importance, keep one of each pair.")
	}
	if len(r.Ignored) > 0 {
		r.add(Note, fmt.Sprintf("%s that the schema does not know, and that nothing here looks at: %s.", plural(len(r.Ignored), "column"), list(r.Ignored, 12)), "")
	}
}

func (r *DataReport) some(level string, names []string, noun, format, do string) {
	if len(names) > 0 {
		r.add(level, plural(len(names), noun)+" "+fmt.Sprintf(format, list(names, 12)), do)
	}
}

func atMost(n int) string {
	if n >= mostPairs {
		return fmt.Sprintf("More than %d pairs", mostPairs)
	}
	return plural(n, "pair")
}

func (r *DataReport) findDrift() {
	d := r.Drift
	if d == nil {
		return
	}
	var large []string
	for _, c := range d.Columns {
		if c.PSI >= largePSI {
			large = append(large, fmt.Sprintf("%s (%s)", c.Name, number(c.PSI)))
		}
	}
	if len(large) > 0 {
		r.add(Warning, fmt.Sprintf("Against %s, %s of %s changed a lot (stability index in brackets): %s.", base(d.Source), whole(len(large)), plural(len(d.Columns), "column"), list(large, 8)),
			"A model trained on one will meet values in the other that it has rarely or never seen. If the attacks differ too, part of the change is theirs: the index of benign rows alone is in the table.")
	} else {
		r.add(Good, fmt.Sprintf("Against %s, no column changed much.", base(d.Source)), "")
	}
	var unseen []string
	for _, v := range d.Unseen {
		unseen = append(unseen, fmt.Sprintf("%s (%s)", v.Text, whole(v.Rows)))
	}
	r.some(Warning, unseen, "label", "occur only in the second table: %s.", "Measure what a model does with attacks that it has never seen (train --hold-out-type each).")
	if len(d.Absent) > 0 {
		r.add(Warning, fmt.Sprintf("%s only in the first table: %s.", plural(len(d.Absent), "column"), list(d.Absent, 12)), "Train on the columns that both have.")
	}
}

func (r *DataReport) findBest() {
	best := r.best(5)
	if len(best) == 0 || r.Entropy == 0 {
		return
	}
	var names []string
	for _, c := range best {
		names = append(names, fmt.Sprintf("%s (%s)", c.Name, percent(c.Explains)))
	}
	r.add(Good, fmt.Sprintf("Most is told by %s: in brackets how much of the class each explains alone.", list(names, 5)), "")
}

// best lists the columns that tell most of the class, identity left out.
func (r *DataReport) best(n int) []Column {
	var out []Column
	for _, c := range r.Columns {
		if !c.Identity && c.Information > 0 && !c.Constant {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Column) int { return cmp.Compare(b.Information, a.Information) })
	return out[:min(len(out), n)]
}
