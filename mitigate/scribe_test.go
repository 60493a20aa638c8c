package mitigate

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

// TestBookBeforeRecords: whoever sees a record finds its block in the book after a crash.
func TestBookBeforeRecords(t *testing.T) {
	dir := t.TempDir()
	log, book := filepath.Join(dir, auditName), filepath.Join(dir, "blocks.json")
	audit, err := openAudit(log)
	if err != nil {
		t.Fatal(err)
	}
	defer audit.close()
	size := func(path string) int64 {
		info, err := os.Stat(path)
		if err != nil {
			return 0
		}
		return info.Size()
	}
	s := &scribe{log: slog.New(slog.DiscardHandler), audit: audit, path: book, state: func() ([]byte, error) {
		if size(log) > 0 {
			t.Error("the record is there before the book")
		}
		return []byte("{}"), nil
	}}
	s.keep(t.Context(), []*Record{{Event: eventBlock}})
	if size(log) == 0 || size(book) == 0 {
		t.Errorf("the log has %d bytes, the book %d", size(log), size(book))
	}
}
