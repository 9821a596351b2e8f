package main

import "runtime/debug"

// version is this program's, which is the daemon's if both were built together.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
