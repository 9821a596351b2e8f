//go:build linux

package portal

import (
	"errors"
	"os"
	"path/filepath"
)

// withScreens is behind the name of the file of a permission that includes screens: it is another one.
const withScreens = "-screens"

// tokens are the files of the permissions that are kept.
func (p *Portal) tokens() []string {
	if p.token == "" {
		return nil
	}
	return []string{p.token, p.token + withScreens}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// keep keeps a permission for the next session: each is good once.
func keep(path, token string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, filepath.Base(path)) // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it is gone when all went well
	_, err = f.WriteString(token)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
