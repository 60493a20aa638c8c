package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// stampFormat sorts old files by age.
const stampFormat = "20060102T150405.000000000Z"

// rotate moves the file aside, alerts.json to alerts-20260301T120000.000000000Z.json, removes those that are too many or
// too old, and begins a new one.
func (s *Sink) rotate(now time.Time) error {
	if err := s.close(); err != nil {
		return err
	}
	aside, err := s.freeName(now)
	if err != nil {
		return err
	}
	if err := os.Rename(s.cfg.Path, aside); err != nil {
		return err
	}
	if err := s.prune(now); err != nil {
		s.log.Warn("remove old files", "path", s.cfg.Path, "err", err) // a new file is begun all the same
	}
	return s.open()
}

// freeName is a name with the time that no file has.
func (s *Sink) freeName(now time.Time) (string, error) {
	prefix, ext := s.parts()
	for range 1000 {
		name := prefix + now.UTC().Format(stampFormat) + ext
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name, nil
		}
		now = now.Add(1)
	}
	return "", fmt.Errorf("no free name beside %s", s.cfg.Path)
}

// parts are what stands before and behind the time in names of old files.
func (s *Sink) parts() (prefix, ext string) {
	ext = filepath.Ext(s.cfg.Path)
	return strings.TrimSuffix(s.cfg.Path, ext) + "-", ext
}

// prune removes old files: those beyond the count, and those beyond the age.
func (s *Sink) prune(now time.Time) error {
	old, err := s.old()
	if err != nil {
		return err
	}
	var errs []error
	prefix, ext := s.parts()
	for i, path := range old { // newest first
		at, _ := time.Parse(stampFormat, strings.TrimSuffix(strings.TrimPrefix(path, prefix), ext))
		if s.cfg.Count > 0 && i >= s.cfg.Count || s.cfg.Age > 0 && now.Sub(at) > s.cfg.Age {
			errs = append(errs, os.Remove(path))
		}
	}
	return errors.Join(errs...)
}

// old lists the files that were moved aside, the newest first. Other files of a like name are not ours.
func (s *Sink) old() ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(s.cfg.Path))
	if err != nil {
		return nil, err
	}
	prefix, ext := s.parts()
	var old []string
	for _, e := range entries {
		path := filepath.Join(filepath.Dir(s.cfg.Path), e.Name())
		middle, ok := strings.CutPrefix(path, prefix)
		middle, isExt := strings.CutSuffix(middle, ext)
		if _, err := time.Parse(stampFormat, middle); ok && isExt && err == nil && e.Type().IsRegular() {
			old = append(old, path)
		}
	}
	slices.Sort(old)
	slices.Reverse(old)
	return old, nil
}
