package main

import (
	"context"
	"fmt"

	"mlids/api/door"
)

// firstKey makes a key where there is none, as in a container that was just started, and tells it once.
func (l *lockFlags) firstKey(ctx context.Context, a *app, guard *door.Guard) (*door.Guard, error) {
	if !l.makeKey || l.insecure || !guard.Open() {
		return guard, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	made, token, err := door.OpenKeyFile(l.door.KeyFile).Add(ctx, door.Key{Name: "first", Role: door.Analyst})
	if err != nil {
		return nil, fmt.Errorf("make the first key (give one by --key, or say --insecure): %w", err)
	}
	a.auditKey("key added", made)
	fmt.Fprintf(a.err, "there was no key: made %s, not shown again. Send it as Authorization: Bearer %s\n", made.ID, token)
	return door.New(l.door, a.log)
}
