// Package keymap knows what keys type: the names and characters of keysyms, the keymaps that
// Wayland compositors hand out and that of the kernel's consoles, and which keys to press for a
// character on one. It is plain computation; whose keymap it is and who presses the keys is decided
// elsewhere.
package keymap

//go:generate go run generate.go /usr/include/X11/keysymdef.h
