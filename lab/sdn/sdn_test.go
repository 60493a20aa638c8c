package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// built builds mlids for a test.
func built(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("MLIDS_BINARY"); path != "" {
		return path
	}
	path := filepath.Join(t.TempDir(), "mlids")
	if out, err := exec.Command("go", "build", "-o", path, "mlids/cmd/mlids").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	return path
}

// A flood is blocked within a second and next to nothing of it arrives, while the neighbour's pings pass.
func TestFloodIsBlockedAndPingsPass(t *testing.T) {
	r := newRig(t, built(t))
	res := r.attack(attacks(4 * time.Second)[0], false)
	all, after := res.kept()
	t.Logf("blocked after %v by %s; %d sent, %d arrived: kept %.2f%%, after the block %.3f%%; pings %d/%d, median %v before, %v during",
		res.after(), res.record.Reason, len(res.sent), len(res.arrived), all, after, res.during.answered, res.during.sent, res.before.median(), res.during.median())
}
