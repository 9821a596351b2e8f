//go:build linux

package x11

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jezek/xgb/res"
	"github.com/jezek/xgb/xproto"
)

const (
	// keep is how long a key keeps its character at least after it was typed: programs look it up when
	// they get round to it.
	keep = 400 * time.Millisecond
	// more is how much the program that reads it may run beyond that, for all characters of a text
	// together, while keys keep theirs. One that the machine is slow for needs little of it; one that never
	// rests, as a game, soon has had it.
	more = 2 * time.Second
	// still is how many looks in a row have to find the program at rest.
	still = 5
)

// reader is the process of the program that has the keyboard, as the server knows it; 0: it is not of
// this machine, or cannot be known.
func (in *Input) reader() (pid uint32) {
	if !in.counts {
		return 0
	}
	focus, err := xproto.GetInputFocus(in.c).Reply()
	if err != nil || focus.Focus <= 1 { // None, or whatever the mouse is on
		return 0
	}
	r, err := res.QueryClientIds(in.c, 1, []res.ClientIdSpec{{Client: uint32(focus.Focus), Mask: res.ClientIdMaskLocalClientPID}}).Reply()
	if err != nil {
		return 0
	}
	for _, id := range r.Ids {
		if id.Spec.Mask == res.ClientIdMaskLocalClientPID && len(id.Value) == 1 {
			pid = id.Value[0]
		}
	}
	return pid
}

// wasRead returns when what was typed has been read: when some time has passed and the program that
// read it is at rest, with a server that has nothing left for it, or has run for long enough.
func (in *Input) wasRead(ctx context.Context) error {
	before, _ := task(in.read)
	for quiet := 0; in.gone() == nil; {
		late := time.Since(in.typed) >= keep
		if late && (in.read == 0 || quiet >= still || in.more <= 0) {
			return nil
		}
		stop := in.guard()
		in.c.Sync()
		stop()
		ran, sleeps := task(in.read)
		if quiet++; !sleeps || ran != before {
			quiet = 0
		}
		if late {
			in.more -= max(0, ran-before)
		}
		before = ran
		select {
		case <-ctx.Done():
			return fmt.Errorf("the program in front does not get to reading what is typed: %w", ctx.Err())
		case <-time.After(look):
		}
	}
	return errGone
}

// task is for how long the first thread of a process has run, and whether it sleeps: one that has been
// stopped does not. One that has ended sleeps, and one that nobody tells about.
func task(pid uint32) (ran time.Duration, sleeps bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, true
	}
	times, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err != nil {
		return 0, true
	}
	first, _, _ := strings.Cut(string(times), " ")
	ns, err := strconv.ParseInt(first, 10, 64)
	_, rest, _ := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" ")) // the name before may have anything in it
	return time.Duration(ns), err != nil || len(rest) == 0 || !bytes.ContainsRune([]byte("RDTt"), rune(rest[0]))
}
