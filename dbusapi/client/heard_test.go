package client

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/engine/report"
)

// TestSlowMonitor: who does not read what comes in loses some of it, is told how much, and still gets answers.
func TestSlowMonitor(t *testing.T) {
	b := dbustest.NewBackend()
	c := dial(t, serve(t, b))
	told, release := make(chan int), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- c.Monitor(ctx, EventFilter{}, func(seen []Seen, lost uint32) error {
			<-release
			told <- len(seen) + int(lost)
			return nil
		})
	}()
	for b.Watchers() == 0 {
		if _, err := c.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sent := 0
	see := func() {
		b.See(report.Seen{Device: "a", Status: 0x90, Data1: 36, Value: 1})
		sent++
		if _, err := c.Status(t.Context()); err != nil { // whose answer comes after what was seen, mostly
			t.Fatal(err)
		}
	}
	for !c.heard.lost.Load() {
		see()
	}
	close(release)
	heard := 0
	for heard < heardRoom {
		heard += <-told
	}
	for see(); heard < sent; { // what was lost is told before what comes next
		heard += <-told
	}
	cancel()
	if err := <-ended; err != nil || heard != sent {
		t.Errorf("%d of %d, %v", heard, sent, err)
	}
}

// TestSlowWatch: who reads changes so slowly that some are lost begins anew.
func TestSlowWatch(t *testing.T) {
	b := dbustest.NewBackend()
	c := dial(t, serve(t, b))
	if err := c.listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	m, err := c.moment(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; !c.heard.lost.Load(); n++ {
		b.Publish(func(s *report.Status) { s.Mode = fmt.Sprint("mode ", n) })
		if _, err := c.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.hear(ctx, m, func(*Moment, *Incident) error { return nil }); err != nil || ctx.Err() != nil {
		t.Error(err, ctx.Err())
	}
}
