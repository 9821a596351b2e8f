// Package uinput presses keys and buttons through the kernel's user-level input device, so
// that they reach whatever holds the seat: X11, Wayland or the console. It knows codes, not
// layouts: what a key types is decided by whoever reads the device. Nothing here decides when
// a key is pressed, and what is held is the caller's to know.
package uinput
