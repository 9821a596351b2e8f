package mpris

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const prefix = "org.mpris.MediaPlayer2."

// proxy is the name of a player that hands on to others: what it can we do, and it would
// count twice.
const proxy = prefix + "playerctld"

// The words of PlaybackStatus that matter.
const (
	playing = "Playing"
	paused  = "Paused"
)

// player is a connection to the bus with one or more names of players.
type player struct {
	owner  string   // its unique name
	names  []string // without the prefix, as they came
	status string   // PlaybackStatus; empty: not known yet
	active uint64   // when it was last seen to begin, pause or stop: larger is later
	hangs  bool     // it did not answer the last time
	asked  bool     // because it changed, and has not answered yet
	stale  bool     // and has changed since
	cannot map[string]bool
}

func (p *player) name() string { return p.names[0] }

// players are those that there are, by their unique names.
type players struct {
	all map[string]*player
	now uint64 // counts what happens

	ours   string // whom we last made pause
	oursAt uint64 // and when
}

func newPlayers() *players { return &players{all: map[string]*player{}} }

// owned takes who has the name of a player: owner, or nobody if that is empty. It returns the
// player if it is one that was not there before.
func (s *players) owned(name, owner string) *player {
	short, ok := strings.CutPrefix(name, prefix)
	if !ok || name == proxy || strings.HasPrefix(name, proxy+".") {
		return nil
	}
	for _, p := range s.all {
		p.names = slices.DeleteFunc(p.names, func(n string) bool { return n == short })
		if len(p.names) == 0 {
			delete(s.all, p.owner)
		}
	}
	if owner == "" {
		return nil
	}
	if p := s.all[owner]; p != nil {
		p.names = append(p.names, short)
		return nil
	}
	p := &player{owner: owner, names: []string{short}, cannot: map[string]bool{}}
	s.all[owner] = p
	return p
}

// changed takes properties of a player, as it stands or as they change.
func (s *players) changed(owner string, properties map[string]any) {
	p := s.all[owner]
	if p == nil {
		return
	}
	p.hangs = false
	if status, ok := properties["PlaybackStatus"].(string); ok && status != p.status {
		s.now++
		p.status, p.active = status, s.now
	}
	for _, can := range []string{"CanControl", "CanPlay", "CanPause", "CanGoNext", "CanGoPrevious"} {
		if yes, ok := properties[can].(bool); ok {
			p.cannot[can] = !yes
		}
	}
}

// needs is the property that says whether a player can do an operation. Stop has none.
var needs = map[string]string{"Play": "CanPlay", "PlayPause": "CanPause", "Pause": "CanPause", "Next": "CanGoNext", "Previous": "CanGoPrevious"}

var errNobody = errors.New("no player is there")

// choose says which player is to perform an operation. Named are the player's own name or what
// stands before ".instance" in it; empty: whichever plays, else whom we made pause, else the
// one that paused last.
func (s *players) choose(operation, named string) (*player, error) {
	var found []*player
	for _, p := range s.all {
		if p.isCalled(named) && (named != "" || !p.cannot["CanControl"]) {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil, s.nobody(named)
	}
	slices.SortFunc(found, func(a, b *player) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(b.active, a.active), cmp.Compare(a.owner, b.owner))
	})
	p := found[0]
	if operation == "PlayPause" || operation == "Play" {
		if again := s.all[s.ours]; again != nil && slices.Contains(found, again) && s.resumes(again) {
			p = again
		}
	}
	need := needs[operation]
	if operation == "PlayPause" && p.status != playing {
		need = needs["Play"]
	}
	if p.cannot["CanControl"] || p.cannot[need] {
		return nil, fmt.Errorf("%s cannot do %s now", p.name(), operation)
	}
	return p, nil
}

// resumes says whether whom we made pause is to go on: it still waits, and nobody began to
// play since.
func (s *players) resumes(p *player) bool {
	if p.status == playing || p.hangs {
		return false
	}
	for _, o := range s.all {
		if o != p && o.status == playing && o.active > s.oursAt {
			return false
		}
	}
	return true
}

// told remembers that a player was told to perform an operation.
func (s *players) told(p *player, operation string) {
	if p.status == playing && (operation == "PlayPause" || operation == "Pause") {
		s.ours, s.oursAt = p.owner, s.now
	}
}

// rank is less for a player that comes first.
func (p *player) rank() int {
	rank := 2
	switch p.status {
	case playing:
		rank = 0
	case paused:
		rank = 1
	}
	if p.hangs {
		rank += 3
	}
	return rank
}

// isCalled says whether one of the player's names is that, or one that several share.
func (p *player) isCalled(name string) bool {
	name = strings.TrimPrefix(name, prefix)
	return name == "" || slices.ContainsFunc(p.names, func(n string) bool {
		before, _, _ := strings.Cut(n, ".instance")
		return strings.EqualFold(n, name) || strings.EqualFold(before, name)
	})
}

func (s *players) nobody(named string) error {
	var there []string
	for _, p := range s.all {
		there = append(there, p.name())
	}
	slices.Sort(there)
	switch {
	case len(there) == 0:
		return errNobody
	case named == "":
		return fmt.Errorf("no player lets itself be controlled; there is %s", strings.Join(there, ", "))
	}
	return fmt.Errorf("no player %q is there; there is %s", named, strings.Join(there, ", "))
}
