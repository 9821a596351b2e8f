// Package notify performs Notify, and tells of configurations that are not used: by the
// desktop's notification daemon (Desktop Notifications Specification,
// org.freedesktop.Notifications). One that does not work is left alone until it is another.
package notify
