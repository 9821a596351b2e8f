//go:build linux

// Package keys is the back end for keys, text and mouse: of the ways that there are it chooses,
// for each of the three, the one that this desktop lets do it best, says why, and chooses again
// when the desktop comes, goes or changes. The ways themselves are in the packages wayland,
// uinput, portal and x11.
package keys
