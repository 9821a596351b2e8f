//go:build linux

// Package wayland speaks to a Wayland compositor as a client without a window: it presses keys,
// types and points by the virtual keyboard and pointer protocols, where the compositor has
// them, and reads the keymap and the outputs where it has not. When that is done, and what
// else there is if it cannot be, is decided elsewhere.
package wayland
