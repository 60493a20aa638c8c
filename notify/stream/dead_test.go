package stream_test

import (
	"errors"
	"testing"

	"mlids/notify"
	"mlids/notify/stream"
)

// A dead letter that is sent again and refused again, while the queue still remembers its id, is a dead letter again.
func TestReplayedLettersDieAgain(t *testing.T) {
	s := open(t, stream.Config{})
	in := feed(t, s, "a", notify.Filter{})
	if err := s.Publish(t.Context(), attacks("x", 1)); err != nil {
		t.Fatal(err)
	}
	for times := range 3 {
		it := take(t, in, 1)[0]
		if err := s.Bury(t.Context(), "a", &it, errors.New("refused")); err != nil {
			t.Fatal(err)
		}
		letters := dead(t, s, "a")
		if len(letters) != 1 {
			t.Fatalf("refused %d times: %d dead letters, want 1", times+1, len(letters))
		}
		if err := s.Replay(t.Context(), letters[0]); err != nil {
			t.Fatal(err)
		}
	}
}

// Who buries a message twice, because it was handed out twice, has one dead letter.
func TestALetterIsBuriedOnce(t *testing.T) {
	s := open(t, stream.Config{})
	in := feed(t, s, "a", notify.Filter{})
	if err := s.Publish(t.Context(), attacks("x", 1)); err != nil {
		t.Fatal(err)
	}
	it := take(t, in, 1)[0]
	for range 2 {
		if err := s.Bury(t.Context(), "a", &it, errors.New("refused")); err != nil {
			t.Fatal(err)
		}
	}
	if letters := dead(t, s, "a"); len(letters) != 1 {
		t.Errorf("%d dead letters, want 1", len(letters))
	}
}
