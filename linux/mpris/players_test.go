package mpris

import (
	"fmt"
	"strings"
	"testing"
)

// story is what happens to players, a word each, and what is chosen then.
//
//	+spotify          a player comes          -spotify          it goes
//	spotify=Playing   its status              spotify!CanGoNext what it cannot do
//	spotify?          it hangs                Next>spotify      Next is for it, and it is told
//	Next:vlc>vlc      Next of the player vlc  Next>-            it fails
func story(t *testing.T, words string) {
	t.Helper()
	s := newPlayers()
	for word := range strings.FieldsSeq(words) {
		switch {
		case word[0] == '+':
			s.owned(prefix+word[1:], ":"+word[1:])
		case word[0] == '-':
			s.owned(prefix+word[1:], "")
		case strings.HasSuffix(word, "?"):
			s.all[":"+strings.TrimSuffix(word, "?")].hangs = true
		case strings.Contains(word, "="):
			name, status, _ := strings.Cut(word, "=")
			s.changed(":"+name, map[string]any{"PlaybackStatus": status})
		case strings.Contains(word, "!"):
			name, cannot, _ := strings.Cut(word, "!")
			s.changed(":"+name, map[string]any{cannot: false})
		default:
			asked, want, _ := strings.Cut(word, ">")
			operation, named, _ := strings.Cut(asked, ":")
			p, err := s.choose(operation, named)
			got := "-"
			if err == nil {
				got = p.name()
				s.told(p, operation)
			}
			if got != want {
				t.Errorf("%s: %s (%v), want %s", asked, got, err, want)
			}
		}
	}
}

func TestChoose(t *testing.T) {
	for name, words := range map[string]string{
		"nobody":                        "Next>-",
		"the only one":                  "+a Next>a",
		"which plays":                   "+a a=Paused +b b=Playing +c c=Stopped Next>b",
		"which began last":              "+a a=Playing +b b=Playing Next>b a=Paused a=Playing Next>a",
		"which paused last":             "+a a=Playing +b b=Playing a=Paused b=Paused Next>b",
		"paused before stopped":         "+a a=Paused +b b=Stopped PlayPause>a",
		"goes":                          "+a a=Playing +b b=Playing -b Next>a -a Next>-",
		"the one we made pause goes on": "+a a=Playing +b b=Playing PlayPause>b b=Paused PlayPause>b b=Playing Next>b",
		"before its answer too":         "+a a=Playing +b b=Playing PlayPause>b PlayPause>b",
		"Play is for it as well":        "+a a=Playing +b b=Playing Pause>b b=Paused Play>b",
		"Pause pauses the next":         "+a a=Playing +b b=Playing Pause>b b=Paused Pause>a a=Paused PlayPause>a",
		"Next is for who plays":         "+a a=Playing +b b=Playing PlayPause>b b=Paused Next>a",
		"unless another began since":    "+a a=Playing +b PlayPause>a a=Paused b=Playing PlayPause>b",
		"and it is gone":                "+a a=Paused +b b=Playing PlayPause>b b=Paused -b PlayPause>a",
		"one that paused by itself":     "+a a=Playing +b b=Playing b=Paused PlayPause>a",
		"a proxy does not count":        "+playerctld playerctld=Playing Next>-",
		"by name":                       "+a a=Playing +vlc vlc=Paused Next:vlc>vlc Next:VLC>vlc Next:org.mpris.MediaPlayer2.vlc>vlc Next:x>-",
		"by the beginning of its name":  "+mpv +mpv.instance-7 mpv=Paused mpv.instance-7=Playing Next:mpv>mpv.instance-7 Next:mpv.instance-7>mpv.instance-7",
		"of which which plays":          "+mpv +mpv.instance-7 mpv=Playing mpv.instance-7=Paused +b b=Playing Next:mpv>mpv",
		"cannot go on":                  "+a a=Playing a!CanGoNext +b b=Playing b!CanGoNext +c c=Paused Next>- Previous>b",
		"cannot pause":                  "+a a=Playing a!CanPause PlayPause>- Pause>- Stop>a a=Paused PlayPause>a",
		"cannot play":                   "+a a=Paused a!CanPlay a!CanPause PlayPause>- Play>-",
		"cannot be controlled":          "+a a=Playing a!CanControl +b b=Paused Next>b Next:a>- -b Next>-",
		"hangs":                         "+a a=Paused +b b=Playing b? Next>a b=Paused Next>b",
		"hangs, and it is the only one": "+a a=Playing a? Next>a",
		"hangs after we made it pause":  "+a a=Paused +b b=Playing PlayPause>b b=Paused b? PlayPause>a",
	} {
		t.Run(name, func(t *testing.T) { story(t, words) })
	}
}

// TestNames: a program that has two names is one player.
func TestNames(t *testing.T) {
	s := newPlayers()
	is := func(want string) {
		t.Helper()
		var got []string
		for _, p := range s.all {
			got = append(got, fmt.Sprint(p.owner, p.names))
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
	if s.owned(prefix+"vlc", ":1") == nil || s.owned(prefix+"vlc.instance5", ":1") != nil {
		t.Error("a player is new once")
	}
	is("[:1[vlc vlc.instance5]]")
	s.owned(prefix+"vlc", ":2")
	s.owned(prefix+"vlc.instance5", "")
	is("[:2[vlc]]")
	if s.owned("org.example", ":3") != nil {
		t.Error("it is no player")
	}
	s.changed(":9", map[string]any{"PlaybackStatus": playing}) // of nobody
	is("[:2[vlc]]")
}

// FuzzPlayers: in whatever order they come, go and change, who is chosen is there.
func FuzzPlayers(f *testing.F) {
	f.Add([]byte{0, 1, 17, 2, 33, 3, 64, 65, 66})
	f.Fuzz(func(t *testing.T, events []byte) {
		s := newPlayers()
		operations := []string{"PlayPause", "Play", "Pause", "Stop", "Next", "Previous"}
		for _, e := range events {
			who, what := fmt.Sprint(e%4), e/4
			switch what % 8 {
			case 0, 1:
				s.owned(prefix+who, ":"+who)
			case 2:
				s.owned(prefix+who, "")
			case 3, 4, 5:
				s.changed(":"+who, map[string]any{"PlaybackStatus": []string{playing, paused, "Stopped"}[what%3]})
			default:
				op := operations[int(what)%len(operations)]
				p, err := s.choose(op, "")
				if err == nil {
					if s.all[p.owner] != p {
						t.Fatal("chosen, and not there")
					}
					s.told(p, op)
				} else if len(s.all) > 0 {
					t.Fatal(err)
				}
			}
		}
	})
}
