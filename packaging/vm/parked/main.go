// Command parked does nothing: it waits for a FIFO to which nobody writes. What it costs the
// machine is what any Go program costs that does nothing.
package main

import "os"

func main() {
	f, err := os.OpenFile(os.Args[1], os.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	if _, err := f.Read(make([]byte, 1)); err != nil {
		panic(err)
	}
}
