//go:build linux

package buscall

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// use is a call that a mapping makes.
type use struct {
	mapping string
	call    *effect.DBusCall
}

// Check says, until ctx is done, which calls of a program cannot work: as far as those are there
// whom they go to, and again whenever one of them comes or goes. It starts nobody. Tell gets all
// rows that hold, each time.
func (b *Backend) Check(ctx context.Context, p *engine.Program, tell func([]report.Check)) {
	uses := map[address][]use{}
	for i := range p.Mappings {
		if m := &p.Mappings[i]; m.Enabled {
			collect(uses, m.ID, m.Action)
		}
	}
	for i := range p.Modes {
		for _, m := range [...]*engine.Mapping{p.Modes[i].Enter, p.Modes[i].Exit} {
			if m != nil {
				collect(uses, m.ID, m.Action)
			}
		}
	}
	var mu sync.Mutex
	rows := map[address][]report.Check{}
	var checking sync.WaitGroup
	for at, calls := range uses {
		checking.Go(func() {
			b.bus(at.system).Owner(ctx, at.name, func(conn *dbus.Conn, owner string) {
				var found []report.Check
				if owner != "" {
					found = check(ctx, conn, owner, calls)
				}
				mu.Lock()
				defer mu.Unlock()
				if slices.Equal(rows[at], found) {
					return
				}
				rows[at] = found
				tell(sorted(rows))
			})
		})
	}
	checking.Wait()
}

func collect(uses map[address][]use, mapping string, a effect.Action) {
	effect.Within(a, func(a effect.Action) bool {
		if call, ok := a.(*effect.DBusCall); ok {
			at := address{call.System, call.Destination}
			uses[at] = append(uses[at], use{mapping, call})
		}
		return true
	})
}

func sorted(rows map[address][]report.Check) []report.Check {
	var all []report.Check
	for _, some := range rows {
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b report.Check) int { return strings.Compare(a.Name+a.Message, b.Name+b.Message) })
	return all
}

// check looks at the calls to one peer.
func check(ctx context.Context, conn *dbus.Conn, owner string, calls []use) (rows []report.Check) {
	described := map[string]*description{}
	for _, u := range calls {
		d, ok := described[u.call.Path]
		if !ok {
			var err error
			if d, err = ask(ctx, conn, owner, u.call.Path, describeWithin, dbus.FlagNoAutoStart); err != nil {
				d = nil // it went, or it hangs: nothing is known
			}
			described[u.call.Path] = d
			if d == nil {
				return rows
			}
		}
		if err := fits(d, u.call); err != nil {
			rows = append(rows, report.Check{
				Name: "dbus-call:" + u.mapping, Status: report.Warning,
				Message: fmt.Sprintf("the call of %s to %s cannot work: %v", u.mapping, u.call.Destination, err),
				Fix:     listing(u.call),
			})
		}
	}
	return rows
}

// listing is the command that shows what there is to be called instead. Names and paths of the bus
// need no quotes.
func listing(c *effect.DBusCall) string {
	which := "--user"
	if c.System {
		which = "--system"
	}
	return fmt.Sprintf("busctl %s introspect %s %s", which, c.Destination, c.Path)
}

// fits says why a call cannot work, at the least or at the most that it may be given.
func fits(d *description, a *effect.DBusCall) error {
	levels := []float64{0}
	if v := effect.ValueOf(a); v != nil {
		levels = []float64{v.Min, v.Max}
		if v.Given {
			levels = []float64{v.Fixed}
		}
		if v.Graded {
			levels = append(levels, v.Hits[1:]...)
		}
	}
	for _, level := range levels {
		if _, err := prepare(d, a, level); err != nil {
			return err
		}
	}
	return nil
}
