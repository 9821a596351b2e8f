// Package vm holds the whole-system tests: the daemon as systemd --user starts it, in a
// machine with a seat, a session bus, a USB controller behind the real drivers and the
// kernel's own keyboard at the end. They change the machine they run in and refuse any
// other: packaging/vm/test builds and boots it. What needs no machine is tested elsewhere.
package vm
