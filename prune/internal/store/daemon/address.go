package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

// daemonPathMax is the longest path that fits a unix socket's address
// (sockaddr_un in unix(7): 108 bytes, one of them the closing zero).
const daemonPathMax = 107

const daemonHint = "is containerd running?"

// The codes of an [store.OpenError]'s cause, for who can tell which option helps.
const (
	codeNoSocket        cause.Code = "socket-missing"
	codeNotContainerd   cause.Code = "socket-not-containerd"
	codeSocketUntrusted cause.Code = "socket-untrusted"
)

// noSocket marks the cause of what another address may help against.
func noSocket(kind, why error) error {
	return &cause.CodeError{Code: codeNoSocket, Err: store.Cause(kind, why)}
}

func daemonError(path, problem, hint string, err error) error {
	return &store.OpenError{Kind: store.StoreDaemon, Location: path, Problem: problem, Hint: hint, Err: err}
}

// daemonSocket turns an address into the absolute path of a socket that
// exists, and which nobody but root and this user controls, unless insecure. It
// looks at the file and its folders, but does not connect.
func daemonSocket(address string, insecure bool) (string, error) {
	path, err := daemonPath(address)
	if err != nil {
		return "", err
	}
	fi, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", daemonError(path, "no such socket", daemonHint, noSocket(errdefs.ErrNotFound, err))
	case errors.Is(err, fs.ErrPermission):
		return "", daemonDenied(path, err)
	case err != nil:
		return "", daemonError(path, "the socket cannot be looked at", "", store.Cause(errdefs.ErrUnavailable, err))
	case fi.Mode().Type() != fs.ModeSocket:
		return "", daemonError(path, "this is "+StoreFileKind(fi)+", not a socket",
			"", &cause.CodeError{Code: codeNotContainerd, Err: errdefs.ErrFailedPrecondition})
	case insecure:
		return path, nil
	}
	return path, daemonTrusted(path, trust.Self())
}

func daemonDenied(path string, cause error) error {
	return daemonError(path, "permission denied", "run as root, or as a user of the socket's group",
		store.Cause(errdefs.ErrPermissionDenied, cause))
}

// daemonPath reads a path or a unix: URL and refuses all else. The store must
// be on this machine: only a unix socket says so.
func daemonPath(address string) (string, error) {
	invalid := func(problem string) error {
		return daemonError(address, problem,
			"give the path of its socket, such as /run/containerd/containerd.sock", errdefs.ErrInvalidArgument)
	}
	path := address
	if rest, ok := strings.CutPrefix(address, "unix:"); ok {
		path = strings.TrimPrefix(rest, "//")
	}
	switch {
	case path == "":
		return "", invalid("the address is empty")
	case strings.Contains(path, "://"):
		return "", invalid("only unix sockets are supported, not other kinds of address")
	case path[0] == '@':
		return "", invalid("only unix sockets with a path are supported, not abstract ones")
	case strings.Contains(path, ":") && !strings.Contains(path, "/"):
		return "", invalid("only unix sockets are supported, not addresses on a network")
	case strings.ContainsRune(path, 0):
		return "", invalid("the address has a zero byte in it")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", daemonError(address, "the current directory is not known", "give an absolute path",
			store.Cause(errdefs.ErrInvalidArgument, err))
	}
	if len(abs) > daemonPathMax {
		return "", invalid(fmt.Sprintf("the path is longer than the %d bytes that a socket's may have", daemonPathMax))
	}
	return abs, nil
}

// StoreFileKind names what a file is, for a sentence.
func StoreFileKind(fi fs.FileInfo) string {
	switch fi.Mode().Type() {
	case 0:
		return "a regular file"
	case fs.ModeDir:
		return "a directory"
	case fs.ModeSocket:
		return "a socket"
	default:
		return "a special file"
	}
}
