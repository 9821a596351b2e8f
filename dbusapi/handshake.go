package dbusapi

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

const maxAuthLines = 32 // clients need four

// serverHandshake is the server's side of the D-Bus authentication (D-Bus specification,
// "Authentication Protocol"), up to and with BEGIN. Who the client is was asked of the
// socket, so whatever identity EXTERNAL claims is taken. The lines are limited by the
// reader's buffer; what it holds afterwards are messages.
func serverHandshake(in *bufio.Reader, out io.Writer, guid string) error {
	switch nul, err := in.ReadByte(); {
	case err != nil:
		return err
	case nul != 0:
		return errors.New("the client does not begin with a NUL")
	}
	authorised, asked := false, false
	for range maxAuthLines {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		text, ok := strings.CutSuffix(string(line), "\r\n")
		if !ok {
			return fmt.Errorf("a line ends without a carriage return: %.40q", line)
		}
		command, rest, _ := strings.Cut(text, " ")
		mechanism, identity, _ := strings.Cut(rest, " ")
		var answer string
		switch {
		case command == "BEGIN" && authorised:
			return nil
		case command == "AUTH" && mechanism == "EXTERNAL" && identity == "": // sd-bus: the identity comes as DATA
			asked, answer = true, "DATA"
		case command == "AUTH" && mechanism == "EXTERNAL", command == "DATA" && asked:
			authorised, asked, answer = true, false, "OK "+guid
		case command == "AUTH", command == "CANCEL":
			authorised, asked, answer = false, false, "REJECTED EXTERNAL"
		case command == "NEGOTIATE_UNIX_FD" && authorised:
			answer = "ERROR no file descriptors here"
		default:
			answer = "ERROR"
		}
		if _, err := io.WriteString(out, answer+"\r\n"); err != nil {
			return err
		}
	}
	return errors.New("the handshake does not end")
}
