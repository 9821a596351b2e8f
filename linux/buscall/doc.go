// Package buscall performs DBusCall: any method of anybody on the session's bus or the
// system's. What the configuration has for arguments becomes what the method takes, which the
// peer itself says (org.freedesktop.DBus.Introspectable). A peer that does not answer keeps
// calls to nobody else waiting.
package buscall
