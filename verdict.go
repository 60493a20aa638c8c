package mlids

// Verdict is what a model says of one row.
type Verdict struct {
	Attack      bool    // Class is not the model's benign class
	Class       string  // the class decided for
	Probability float64 // of Class, 0 to 1
	Threshold   float64 // the attack probability from which the model calls an attack
	Model       string  // name of the model
	Version     string  // its version: the first 12 hex digits of the file's SHA-256
}
