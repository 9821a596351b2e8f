//go:build linux

package launch

import (
	"context"
	"errors"
	"sync"

	"github.com/godbus/dbus/v5"
)

const (
	driver         = "org.freedesktop.DBus"
	ownerChanged   = driver + ".NameOwnerChanged"
	propertyChange = driver + ".Properties.PropertiesChanged"
)

var errManagerGone = errors.New("the service manager is gone")

// managerChanges match what the bus tells of who is the service manager.
var managerChanges = []dbus.MatchOption{
	dbus.WithMatchSender(driver), dbus.WithMatchInterface(driver), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, managerName),
}

// An ear hears what a service manager tells of its units, until that manager or the bus is gone: the next
// one knows nobody who asked this one to tell.
type ear struct {
	conn *dbus.Conn

	mu    sync.Mutex
	units map[dbus.ObjectPath]chan []any // who follows which unit; nil: nothing is heard any more
}

// follow sends what is told of a unit until forget is called. The channel is closed when the manager
// or the bus is lost. Its size is more than a unit has changes, of which none is lost.
func (p *Programs) follow(ctx context.Context, conn *dbus.Conn, unit dbus.ObjectPath) (signals <-chan []any, forget func(), err error) {
	e, err := p.listen(ctx, conn)
	if err != nil {
		return nil, nil, err
	}
	match := []dbus.MatchOption{
		dbus.WithMatchObjectPath(unit), dbus.WithMatchInterface(driver + ".Properties"), dbus.WithMatchMember("PropertiesChanged"),
	}
	if err := conn.AddMatchSignalContext(ctx, match...); err != nil {
		return nil, nil, err
	}
	ch := make(chan []any, 256)
	if !e.add(unit, ch) {
		_ = conn.RemoveMatchSignal(match...)
		return nil, nil, errManagerGone
	}
	return ch, func() {
		_ = conn.RemoveMatchSignal(match...)
		e.mu.Lock()
		delete(e.units, unit)
		e.mu.Unlock()
	}, nil
}

// listen is an ear for the manager that there is on a connection. A manager tells of its units only when
// somebody has asked it to.
func (p *Programs) listen(ctx context.Context, conn *dbus.Conn) (*ear, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ear != nil && p.ear.conn == conn && p.ear.hears() {
		return p.ear, nil
	}
	e := &ear{conn: conn, units: map[dbus.ObjectPath]chan []any{}}
	signals := make(chan *dbus.Signal, 256)
	conn.Signal(signals)
	err := conn.AddMatchSignalContext(ctx, managerChanges...)
	if err == nil {
		err = conn.Object(managerName, managerPath).CallWithContext(ctx, managerIface+".Subscribe", dbus.FlagNoAutoStart).Err
	}
	if err != nil {
		e.end(signals)
		return nil, err
	}
	p.ear = e
	go e.hear(signals)
	return e, nil
}

// hear makes signals reach those who follow their unit.
func (e *ear) hear(signals chan *dbus.Signal) {
	defer e.end(signals)
	for {
		select {
		case <-e.conn.Context().Done():
			return
		case s, ok := <-signals:
			switch {
			case !ok:
				return
			case s.Name == propertyChange:
				e.hand(s)
			case s.Name == ownerChanged && s.Sender == driver && len(s.Body) == 3 && s.Body[0] == managerName && s.Body[1] != "":
				return // who was asked to tell is gone, though there may be another
			}
		}
	}
}

func (e *ear) hears() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.units != nil
}

// add makes what is told of a unit go to a channel, if anything is heard.
func (e *ear) add(unit dbus.ObjectPath, ch chan []any) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.units == nil {
		return false
	}
	e.units[unit] = ch
	return true
}

// hand gives a signal to who follows its unit.
func (e *ear) hand(s *dbus.Signal) {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case e.units[s.Path] <- s.Body:
	default: // nobody does
	}
}

// end tells who follows a unit that nothing more is heard.
func (e *ear) end(signals chan *dbus.Signal) {
	e.mu.Lock()
	for _, ch := range e.units {
		close(ch)
	}
	e.units = nil
	e.mu.Unlock()
	e.conn.RemoveSignal(signals)
	_ = e.conn.RemoveMatchSignal(managerChanges...) // who lost the bus has lost the rule too
}
