// Package mpris performs Media: it follows the players on the session bus (MPRIS 2, D-Bus
// interface org.mpris.MediaPlayer2.Player) and tells the right one what to do. A player that
// does not answer keeps nobody waiting. None is started.
package mpris
