package api

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"mlids/mitigate"
)

// Blocks is what is blocked, and who changes it; *mitigate.Defender is one.
type Blocks interface {
	Blocks() []mitigate.Active
	Add(ctx context.Context, b mitigate.Block, by string) (mitigate.Active, error)
	Lift(ctx context.Context, id, by string) error
}

// maxBlockBody bounds the description of a block, in bytes.
const maxBlockBody = 16 << 10

// listedRow is a line of the block list.
type listedRow struct {
	Address netip.Prefix `json:"address"`
	Until   time.Time    `json:"until"`
	Since   time.Time    `json:"since"`
	Class   string       `json:"class"`
}

// listed are the sources that are dropped altogether, each once, until the last of its blocks ends. Addresses that were
// forged are not for other firewalls to block.
func listed(blocks []mitigate.Active) []listedRow {
	byAddress := map[netip.Prefix]listedRow{}
	for _, b := range blocks {
		m := b.Match
		whole := mitigate.Match{Src: m.Src, Port: m.Port}
		if b.Kind != mitigate.Drop || b.DryRun || b.Forged || !m.Src.IsValid() || m != whole {
			continue
		}
		row := listedRow{Address: m.Src, Until: b.Until.UTC(), Since: b.Since.UTC(), Class: cmp.Or(b.Class, "by hand")}
		if known, ok := byAddress[m.Src]; !ok || known.Until.Before(row.Until) {
			byAddress[m.Src] = row
		}
	}
	rows := make([]listedRow, 0, len(byAddress))
	for _, row := range byAddress {
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b listedRow) int { return a.Address.Compare(b.Address) })
	return rows
}

// blocklist answers GET /api/blocklist: for firewalls that poll, one address a line or JSON with times.
func (s *Server) blocklist(w http.ResponseWriter, r *http.Request) error {
	asJSON, err := wantsJSON(r)
	if err != nil {
		return err
	}
	var blocks []mitigate.Active
	if s.deps.Blocks != nil {
		blocks = s.deps.Blocks.Blocks()
	}
	rows := listed(blocks)
	media, text := "text/plain; charset=utf-8", plainList(rows)
	if asJSON {
		body, err := json.Marshal(rows)
		if err != nil {
			return fmt.Errorf("block list: %w", err)
		}
		body = append(body, '\n')
		media, text = mediaJSON, body
	}
	sum := sha256.Sum256(text)
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Vary", "Accept")
	w.Header().Set("Cache-Control", "no-cache")
	if slices.Contains(strings.FieldsFunc(r.Header.Get("If-None-Match"), func(c rune) bool { return c == ',' || c == ' ' }), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	writeBody(w, http.StatusOK, media, text)
	return nil
}

// plainList is one address or prefix a line, as firewalls read it.
func plainList(rows []listedRow) []byte {
	var text []byte
	for _, row := range rows {
		if row.Address.IsSingleIP() {
			text = append(text, row.Address.Addr().String()...)
		} else {
			text = append(text, row.Address.String()...)
		}
		text = append(text, '\n')
	}
	return text
}

// wantsJSON reports whether a request asks for JSON; plain text is for those that ask for nothing.
func wantsJSON(r *http.Request) (bool, error) {
	switch format := r.URL.Query()["format"]; {
	case format == nil:
		return strings.Contains(r.Header.Get("Accept"), mediaJSON), nil
	case format[0] == "json":
		return true, nil
	case format[0] == "text":
		return false, nil
	}
	return false, problemf(http.StatusBadRequest, "format: want json or text")
}

// errNoMitigation answers those who want to change blocks where nothing can be blocked.
var errNoMitigation = errors.New("this server blocks nothing: it runs without --mitigate, and is no mlids sdn")

// listBlocks answers GET /api/blocks.
func (s *Server) listBlocks(w http.ResponseWriter, _ *http.Request) error {
	rows := []mitigate.Shown{}
	if s.deps.Blocks != nil {
		for _, b := range s.deps.Blocks.Blocks() {
			rows = append(rows, mitigate.Show(&b))
		}
	}
	writeJSON(w, http.StatusOK, rows)
	return nil
}

// addBlock answers POST /api/blocks.
func (s *Server) addBlock(w http.ResponseWriter, r *http.Request) error {
	var row mitigate.Shown
	if err := readDocument(w, r, maxBlockBody, "a block, an object with kind and match", &row); err != nil {
		return err
	}
	if row.Match == nil {
		return problemf(http.StatusBadRequest, "a block needs a match: what it concerns")
	}
	b := mitigate.Block{
		Kind: cmp.Or(row.Kind, mitigate.Drop), Match: row.Match.Match(), Rate: row.Rate, ToPort: row.ToPort, Reason: row.Reason,
	}
	if row.Until != nil {
		b.Until = *row.Until
	}
	if s.deps.Blocks == nil {
		return &problem{http.StatusConflict, errNoMitigation}
	}
	made, err := s.deps.Blocks.Add(r.Context(), b, callerName(w))
	switch {
	case errors.Is(err, mitigate.ErrBlock):
		return &problem{http.StatusBadRequest, err}
	case errors.Is(err, mitigate.ErrRefused):
		return &problem{http.StatusConflict, err}
	case err != nil:
		s.log.WarnContext(r.Context(), "a block is in the book, not yet in the network", "id", made.ID, "err", err)
	}
	writeJSON(w, http.StatusCreated, mitigate.Show(&made))
	return nil
}

// liftBlock answers DELETE /api/blocks/{id}.
func (s *Server) liftBlock(w http.ResponseWriter, r *http.Request) error {
	if s.deps.Blocks == nil {
		return &problem{http.StatusConflict, errNoMitigation}
	}
	id := r.PathValue("id")
	err := s.deps.Blocks.Lift(r.Context(), id, callerName(w))
	switch {
	case errors.Is(err, mitigate.ErrUnknown):
		return &problem{http.StatusNotFound, err}
	case err != nil:
		s.log.WarnContext(r.Context(), "a block is out of the book, not yet out of the network", "id", id, "err", err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// callerName is who changes a block, for the audit log.
func callerName(w http.ResponseWriter) string {
	if c := callerOf(w); c != nil && c.Name != "" {
		return c.Name
	}
	return "api"
}
