package locate

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ctr-prune/ctr-prune/filters/spelling"
)

// Machine is what a search looks at.
type Machine struct {
	Getenv func(string) string
	// Root is where the file system of the machine begins, "" for its own.
	Root string
	// Unprivileged says that the user is not root, and has a configuration of their own.
	Unprivileged bool
}

// ChooseError says that several containerds run on the machine.
type ChooseError struct{ Places []Place }

func (e *ChooseError) Error() string {
	var found []string
	for _, p := range e.Places {
		found = append(found, fmt.Sprintf("%s (%s)", p.Socket, strings.Join(p.Distributions, " or ")))
	}
	return fmt.Sprintf("%d containerds run on this machine: %s", len(found), strings.Join(found, ", "))
}

// Socket is where a distribution has its socket, whether or not it is there.
// The error says what there is to choose from.
func (m Machine) Socket(distribution string) (string, error) {
	for _, p := range m.places() {
		if slices.Contains(p.Distributions, distribution) {
			return p.Socket, nil
		}
	}
	if distribution == rootless {
		return "", errors.New("$XDG_RUNTIME_DIR is not set, so the socket of a rootless containerd is not known")
	}
	return "", fmt.Errorf("the distribution %q is not known: %schoose one of %s", distribution, spelling.Hint(distribution, "", Distributions()), strings.Join(Distributions(), ", "))
}

// Find finds the socket of the machine's containerd: the one that nerdctl is configured with,
// or crictl if it is a containerd's, and from what; or else the only one that is at a
// well-known place. It is the standard one if there is none. The error is a [*ChooseError]
// if there are several, or says which configuration cannot be read.
func (m Machine) Find() (socket, from string, err error) {
	if socket, from, err = m.configured(); socket != "" || err != nil {
		return socket, from, err
	}
	found := m.existing()
	if len(found) > 1 {
		found = slices.DeleteFunc(found, func(p Place) bool { return m.dead(p.Socket) })
	}
	switch len(found) {
	case 0:
		return Standard, "", nil
	case 1:
		return found[0].Socket, "", nil
	default:
		return "", "", &ChooseError{found}
	}
}

// Others lists the sockets at well-known places, without the given one.
func (m Machine) Others(socket string) (others []string) {
	for _, p := range m.existing() {
		if !m.same(p.Socket, socket) {
			others = append(others, p.Socket)
		}
	}
	return others
}

// existing lists the places that have a socket, each socket once, whatever links lead
// to it.
func (m Machine) existing() (found []Place) {
	for _, p := range m.places() {
		info, err := os.Stat(m.path(p.Socket))
		known := slices.ContainsFunc(found, func(other Place) bool { return m.same(other.Socket, p.Socket) })
		if err == nil && info.Mode().Type() == os.ModeSocket && !known {
			found = append(found, p)
		}
	}
	return found
}

func (m Machine) same(a, b string) bool {
	one, err := os.Stat(m.path(a))
	if err != nil {
		return a == b
	}
	other, err := os.Stat(m.path(b))
	return err == nil && os.SameFile(one, other)
}

// dead reports whether nothing listens on a socket: a containerd that was killed
// or removed leaves one.
func (m Machine) dead(socket string) bool {
	conn, err := net.DialTimeout("unix", m.path(socket), time.Second)
	if err != nil {
		return errors.Is(err, syscall.ECONNREFUSED)
	}
	return conn.Close() != nil
}

func (m Machine) path(path string) string { return filepath.Join("/", m.Root, path) }
