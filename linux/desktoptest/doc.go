//go:build linux

// Package desktoptest gives tests a desktop of their own: a display without a screen, X11 or
// Wayland, with its window manager and its session bus, and programs on it that say what
// reached them. Everything ends with the test. It is not linked into any program.
//
//	d := desktoptest.X11(t)             // Xvfb and openbox; or Sway(t)
//	d.Setenv(t)                         // DISPLAY and the rest, for what is tested
//	term := d.Terminal("one")           // in front, and its shell reads lines
//	...type, and Return...
//	term.Line()                         // what came
//	p := d.Start("xev", "-event", "keyboard")
//	p.Wait("KeyPress event")            // the line with these words, or the test fails
//	d.Output("setxkbmap", "de")         // runs a program to its end
//
// A display is picked that is free, so tests may run beside each other; what they measure is
// worth more when they do not. Tests that need a desktop have the build tag desktop, and
// packaging/dev desktop installs what they need and runs them. Programs that are missing fail
// the test there, and skip it elsewhere. Wayland compositors refuse root, so when root runs
// the tests, what belongs to one runs as nobody.
package desktoptest
