package mitigate

import "time"

// Shown is a block as the admin door answers with it and takes it, and as the command line prints it.
type Shown struct {
	ID        string     `json:"id,omitempty"`
	Kind      Kind       `json:"kind"`
	Match     *MatchText `json:"match"`
	Rate      uint32     `json:"rate,omitempty"`
	ToPort    uint32     `json:"to_port,omitempty"`
	Since     *time.Time `json:"since,omitempty"`
	Until     *time.Time `json:"until,omitempty"`
	Strike    int        `json:"strike,omitempty"`
	By        string     `json:"by,omitempty"`
	Class     string     `json:"class,omitempty"`
	Model     string     `json:"model,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	DryRun    bool       `json:"dry_run,omitempty"`
	Confirmed bool       `json:"confirmed"`
}

// Show is a block that is in force, or will be.
func Show(a *Active) Shown {
	since, until := a.Since.UTC(), a.Until.UTC()
	return Shown{
		a.ID, a.Kind, a.Match.Text(), a.Rate, a.ToPort, &since, &until, a.Strike, a.By, a.Class, a.Model, a.Reason, a.DryRun, a.Confirmed,
	}
}
