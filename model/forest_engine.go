package model

// forestEngine is a checked forest ready to run.
type forestEngine struct {
	*flat
}

func (f *Forest) compile() engine { return &forestEngine{flat: f.flatten()} }
