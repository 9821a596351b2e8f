package service

import "time"

// SettleWithin makes it another time that the machine waits for what is held to be released.
func (d *Daemon) SettleWithin(limit time.Duration) { d.settleWithin = limit }
