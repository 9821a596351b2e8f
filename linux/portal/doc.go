//go:build linux

// Package portal presses keys and points through the desktop's portal for remote control
// (org.freedesktop.portal.RemoteDesktop), which asks the user. It is asked when that is first needed,
// one session serves everything, and after a refusal nobody is asked again. Places on the screen need a
// session that shares screens, which is asked for when the first is needed. What keys mean is no
// business of it.
package portal
