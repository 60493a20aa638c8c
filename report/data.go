package report

// DataReport is what there is to know of a table before anything is learned from it.
type DataReport struct {
	Source   string       `json:"source"`
	Schema   string       `json:"schema"`
	Rows     int          `json:"rows"`
	Findings []Finding    `json:"findings"` // the most serious first
	Columns  []Column     `json:"columns"`  // in the schema's order, those that the source has
	Absent   []string     `json:"absent,omitempty"`
	Ignored  []string     `json:"ignored,omitempty"` // columns of the source that the schema does not know
	Repeats  Repeats      `json:"repeats"`
	Classes  []Share      `json:"classes,omitempty"` // Classes[0] is the benign one
	Labels   []Label      `json:"labels,omitempty"`  // the most frequent first
	Entropy  float64      `json:"class_entropy"`     // of the classes, in nats
	Pairs    []Pair       `json:"correlated,omitempty"`
	Matrix   *Correlation `json:"correlation,omitempty"`
	Drift    *Drift       `json:"drift,omitempty"`
}

// Finding is a sentence about the table that matters to who wants to learn from it.
type Finding struct {
	Level string `json:"level"` // problem, warning, note or good
	Text  string `json:"text"`
	Do    string `json:"do,omitempty"` // what to do about it
}

// Levels of findings.
const (
	Problem = "problem"
	Warning = "warning"
	Note    = "note"
	Good    = "good"
)

// Column is one column of the table.
type Column struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Unit     string `json:"unit,omitempty"`
	Meaning  string `json:"meaning,omitempty"`
	Identity bool   `json:"identity,omitempty"` // says who or when, not what

	Missing  int      `json:"missing"`            // rows without a value, those with infinity included
	Infinite int      `json:"infinite"`           // of Missing
	Unknown  int      `json:"unknown,omitempty"`  // rows whose category the schema does not know
	Distinct int      `json:"distinct"`           // different values
	Constant bool     `json:"constant,omitempty"` // at most one value
	Same     string   `json:"same,omitempty"`     // an earlier column with the same value in every row
	Numbers  *Numbers `json:"numbers,omitempty"`  // nil for text and categories, and when all are missing
	Values   []Value  `json:"values,omitempty"`   // of text and categories: the most frequent

	Information float64 `json:"mutual_information"` // with the class, in nats, binned
	Explains    float64 `json:"explains"`           // Information as a share of the classes' entropy
	AUC         float64 `json:"auc"`                // of attack against benign by this column alone, whichever way round; 0.5 says nothing
	Higher      bool    `json:"higher"`             // attacks have the higher values
	OneRule     float64 `json:"one_rule"`           // share of rows whose class the column's value alone tells, each judged by the others
	Leak        string  `json:"leak,omitempty"`     // why the column looks like a leak

	Histogram *Histogram  `json:"histogram,omitempty"`
	ByClass   []Quantiles `json:"by_class,omitempty"` // by class, nil for one without values
	ByLabel   []float64   `json:"by_label,omitempty"` // by label: where its median row stands among all rows, 0 to 1; -1 for none

	hash   uint64
	column int
}

// Numbers describe the values of a column that are there.
type Numbers struct {
	Mean      float64   `json:"mean"`
	Deviation float64   `json:"deviation"`
	Zeros     int       `json:"zeros"`
	Quantiles Quantiles `json:"quantiles"`
}

// Quantiles are the values at the ranks 0, 5, 25, 50, 75, 95 and 100%: each a value that a row has.
type Quantiles []float64

// ranks are where Quantiles are taken.
var ranks = [...]float64{0, 0.05, 0.25, 0.5, 0.75, 0.95, 1}

// Value is a value of text or a category.
type Value struct {
	Text string `json:"text"`
	Rows int    `json:"rows"`
}

// Share is a class.
type Share struct {
	Name  string  `json:"name"`
	Rows  int     `json:"rows"`
	Share float64 `json:"share"`
}

// Label is a label as the file spells it.
type Label struct {
	Name  string `json:"name"`
	Class string `json:"class"`
	Rows  int    `json:"rows"`

	code int32
}

// Histogram counts the rows of each class between edges; the last bin includes its upper edge.
type Histogram struct {
	Log    bool      `json:"log"`    // edges are equally wide in sign(v)·log(1+|v|), else in v
	Edges  []float64 `json:"edges"`  // one more than bins
	Counts [][]int   `json:"counts"` // by class, or one row without classes
}

// Repeats tells which rows say the same. Columns of identity and text are left out of the comparison.
type Repeats struct {
	Distinct  int     `json:"distinct"`  // different rows, labels included
	Rows      int     `json:"rows"`      // rows that repeat an earlier one, label and all
	Conflicts int     `json:"conflicts"` // rows that equal a row of another class
	Ceiling   float64 `json:"ceiling"`   // the best accuracy that the conflicts leave to any model
}

// Pair is two numeric columns that move together.
type Pair struct {
	A        string  `json:"a"`
	B        string  `json:"b"`
	Pearson  float64 `json:"pearson"`
	Spearman float64 `json:"spearman"`
}

// Correlation is the Spearman matrix of the columns that tell most of the class.
type Correlation struct {
	Columns []string    `json:"columns"`
	Values  [][]float64 `json:"values"`
	Sample  int         `json:"sample"` // rows that it was measured on
}

// Drift tells how a second table differs.
type Drift struct {
	Source  string        `json:"source"`
	Rows    int           `json:"rows"`
	Columns []ColumnDrift `json:"columns"` // the most changed first
	Classes []Share       `json:"classes,omitempty"`
	Unseen  []Value       `json:"unseen_labels,omitempty"` // labels that only the second table has
	Gone    []string      `json:"gone_labels,omitempty"`   // labels that only the first table has
	Absent  []string      `json:"absent,omitempty"`        // columns that only the first table has
	Beyond  []string      `json:"beyond,omitempty"`        // columns that only the second table has
}

// ColumnDrift tells how one column differs.
type ColumnDrift struct {
	Name    string      `json:"name"`
	PSI     float64     `json:"psi"`        // population stability index over ten parts of the first table; above 0.25 is a large change
	Benign  *float64    `json:"psi_benign"` // the same of benign rows alone; nil when a table has none
	KS      float64     `json:"ks"`         // largest difference of the two distribution functions; 0 for categories
	Outside float64     `json:"outside"`    // share of the second table's values beyond the first one's range, or not among its categories
	Unseen  []Value     `json:"unseen,omitempty"`
	Medians *[2]float64 `json:"medians,omitempty"` // of the two tables; nil for categories
}
