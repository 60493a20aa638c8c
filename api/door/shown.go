package door

import "time"

// Shown is a key as the admin door answers with it and as the command line prints it: never its hash.
type Shown struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Role     Role       `json:"role"`
	State    string     `json:"state"`
	Created  time.Time  `json:"created"`
	Expires  *time.Time `json:"expires,omitempty"`
	Revoked  *time.Time `json:"revoked,omitempty"`
	Requests float64    `json:"requests_per_second,omitempty"`
	Rows     float64    `json:"rows_per_second,omitempty"`
	Key      string     `json:"key,omitempty"` // what callers send: in the answer that makes it, and never again
}

// Show is a key without what must stay secret; its state is that of the time at.
func (k *Key) Show(at time.Time) Shown {
	return Shown{
		ID: k.ID, Name: k.Name, Role: k.Role, State: k.State(at), Created: k.Created, Expires: k.Expires, Revoked: k.Revoked,
		Requests: k.Requests, Rows: k.Rows,
	}
}
