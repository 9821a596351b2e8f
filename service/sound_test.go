package service_test

import (
	"bytes"
	"os"
	"testing"
	"time"
)

const instrument = `
[[global_mappings]]
trigger = { type = "Note", note = 5 }
action = { type = "SendMidi", port = "pad", message_type = "NoteOn", note = 60, velocity = 90, hold = true }
`

// TestNotesEndWithTheDaemon: a note that a pad holds is ended, on ports that are open until then.
func TestNotesEndWithTheDaemon(t *testing.T) {
	s := prepare(t, func(s *stage) {
		if err := os.WriteFile(s.options.Config, []byte(instrument), 0o600); err != nil {
			t.Fatal(err)
		}
	}).run()
	s.await("running", running)
	id := <-s.pad.id
	sends := func(want ...byte) {
		t.Helper()
		select {
		case got := <-s.pad.sent:
			if !bytes.Equal(got, want) {
				t.Errorf("sent % X, want % X", got, want)
			}
		case <-time.After(limit):
			t.Fatalf("nothing is sent, want % X", want)
		}
	}
	for began := time.Now(); len(s.pad.sent) == 0 && time.Since(began) < limit; { // the backend is ready a moment after the daemon
		s.play(id, 5)
		time.Sleep(10 * time.Millisecond)
	}
	sends(0x90, 60, 90)
	if _, err := s.end(); err != nil {
		t.Fatal(err)
	}
	sends(0x80, 60, 64)
}
