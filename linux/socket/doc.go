// Package socket waits for the unix sockets of servers that come and go: sound servers,
// message buses. It says that somebody listens, and knows nothing of what is spoken there.
package socket
