// Package systemd is what the daemon and the service manager that started it say to each
// other: readiness, the watchdog, the socket handed over, the journal. Without a manager it
// does nothing. It starts no unit and talks to no bus.
package systemd
