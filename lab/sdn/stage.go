package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// stage lets a program use what was made for tests: it fails, skips and cleans up as a test does.
type stage struct {
	testing.TB // for its private method; what is used of it is below

	mu       sync.Mutex
	err      error
	cleanups []func()
}

// bench runs f on a stage and cleans up behind it.
func bench(f func(*stage)) error {
	s := &stage{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer s.clean()
		f(s)
	}()
	<-done
	return s.err
}

func (s *stage) clean() {
	for _, f := range slices.Backward(s.cleanups) {
		f()
	}
}

func (s *stage) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = errors.Join(s.err, err)
}

// Helper does nothing: errors name no line here.
func (s *stage) Helper() {}

// Cleanup has f called at the end.
func (s *stage) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

// Failed reports whether something went wrong.
func (s *stage) Failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err != nil
}

// Log prints on stderr.
func (s *stage) Log(args ...any) { fmt.Fprintln(os.Stderr, args...) }

// Logf prints on stderr.
func (s *stage) Logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// Error notes a failure.
func (s *stage) Error(args ...any) { s.fail(errors.New(fmt.Sprint(args...))) }

// Errorf notes a failure.
func (s *stage) Errorf(format string, args ...any) { s.fail(fmt.Errorf(format, args...)) }

// Fatal notes a failure and ends the stage.
func (s *stage) Fatal(args ...any) {
	s.Error(args...)
	runtime.Goexit()
}

// Fatalf notes a failure and ends the stage.
func (s *stage) Fatalf(format string, args ...any) {
	s.Errorf(format, args...)
	runtime.Goexit()
}

// Skip ends the stage: a laboratory without its tools is a failure.
func (s *stage) Skip(args ...any) { s.Fatal(args...) }

// Skipf ends the stage.
func (s *stage) Skipf(format string, args ...any) { s.Fatalf(format, args...) }

// TempDir is a folder that goes at the end.
func (s *stage) TempDir() string {
	dir, err := os.MkdirTemp("", "lab")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
