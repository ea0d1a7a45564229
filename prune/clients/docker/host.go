package docker

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// DefaultSocket is where the Engine listens unless told otherwise.
const DefaultSocket = "/var/run/docker.sock"

// Default returns the socket to ask when the user names none: that of
// DOCKER_HOST if it is a unix socket, else [DefaultSocket] if it exists, else
// "". A DOCKER_HOST on a network is ignored, because it says nothing about the
// containers of this machine.
func Default(getenv func(string) string, stat func(string) (fs.FileInfo, error)) string {
	if host := getenv("DOCKER_HOST"); strings.HasPrefix(host, "unix://") {
		return host
	}
	if fi, err := stat(DefaultSocket); err == nil && fi.Mode().Type() == fs.ModeSocket {
		return DefaultSocket
	}
	return ""
}

// Check returns an error if host cannot be given to [New]. It looks only at the
// text.
func Check(host string) error {
	_, err := socketPath(host)
	return err
}

// socketPath parses a path or a unix:// URL and refuses anything else.
func socketPath(host string) (string, error) {
	path := strings.TrimPrefix(host, "unix://")
	switch {
	case path == "":
		return "", errors.New("it is empty: give the path of Docker's socket, such as " + DefaultSocket)
	case strings.Contains(path, "://"):
		return "", fmt.Errorf("%q is not a unix socket: only an Engine on this machine can use this store, so give the path of its socket, such as %s", host, DefaultSocket)
	case !filepath.IsAbs(path):
		return "", fmt.Errorf("%q is not an absolute path: give one, such as %s", host, DefaultSocket)
	}
	return path, nil
}
