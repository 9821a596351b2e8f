//go:build linux

// Package x11 presses keys, types and points on an X server by its XTEST extension. The server
// does not let go of keys when a client ends, so what is down is written to a file, and whoever
// comes next releases it. When that is done is decided elsewhere.
package x11
