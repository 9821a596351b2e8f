//go:build linux

// Command metronome shows when a machine itself stands still: on each processor a real-time thread
// wakes every 10 ms and does nothing else. When its input ends it prints each time that one was
// late by a millisecond or more: since when, until when, in ns of the monotonic clock.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	period = 10_000_000 // ns
	worth  = 1_000_000  // ns: what is told
)

// still is a time in which a processor ran nobody, not even us.
type still struct{ from, to int64 }

// watch beats on one processor until it is over.
func watch(cpu int, over *atomic.Bool) (late []still, err error) {
	runtime.LockOSThread() // and never unlocked: the thread ends with us
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return nil, err
	}
	if err := unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 50}, 0); err != nil {
		return nil, err
	}
	for next := now() + period; !over.Load(); {
		due := unix.NsecToTimespec(next)
		for { // raw: an emulated machine would spend more on telling Go's scheduler than on the sleep
			_, _, errno := unix.RawSyscall6(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, uintptr(unsafe.Pointer(&due)), 0, 0, 0)
			if errno != unix.EINTR { // a signal woke us
				break
			}
		}
		at := now()
		if at-next >= worth {
			late = append(late, still{next, at})
		}
		next = at + period
	}
	return late, nil
}

func now() int64 {
	var ts unix.Timespec
	_, _, _ = unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}

func main() {
	var over atomic.Bool
	type result struct {
		late []still
		err  error
	}
	results := make(chan result)
	runtime.GOMAXPROCS(runtime.NumCPU() + 1) // those who watch keep theirs
	for cpu := range runtime.NumCPU() {
		go func() {
			late, err := watch(cpu, &over)
			results <- result{late, err}
		}()
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	over.Store(true)
	out := bufio.NewWriter(os.Stdout)
	for range runtime.NumCPU() {
		r := <-results
		if r.err != nil {
			panic(r.err)
		}
		for _, l := range r.late {
			_, _ = fmt.Fprintln(out, l.from, l.to)
		}
	}
	if err := out.Flush(); err != nil {
		panic(err)
	}
}
