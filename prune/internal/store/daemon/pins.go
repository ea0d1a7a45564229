package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

const (
	daemonConfigFile  = "/etc/containerd/config.toml"
	daemonConfigDrops = "/etc/containerd/conf.d/*.toml"
)

// Pins asks CRI, and where that does not say it reads the configuration file of
// the process.
func (p daemonCRI) Pins(ctx context.Context) (store.CRIPins, error) {
	ctx, cancel := context.WithTimeout(ctx, store.CRITimeout)
	defer cancel()
	pins, told, err := p.ConfiguredPins(ctx)
	if errdefs.IsNotImplemented(err) {
		return nil, nil
	}
	if err != nil {
		return nil, criFailed(err)
	}
	if told {
		return pins, nil
	}
	server, err := p.store.client.IntrospectionService().Server(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking containerd for its process: %w", err)
	}
	return ProcessPins("/proc", server.GetPid(), server.GetPidns())
}

// criFailed hides from the caller of what kind an error of CRI is: only what
// is not known without anybody's fault is errdefs.ErrUnavailable.
func criFailed(err error) error {
	return fmt.Errorf("CRI does not report its sandbox image, which must be kept: %s", err.Error())
}

// ProcessPins reads the pins in the configuration of the containerd that runs
// as a process, if the process is seen in this PID namespace.
func ProcessPins(procfs string, pid, pidns uint64) (store.CRIPins, error) {
	proc := filepath.Join(procfs, strconv.FormatUint(pid, 10))
	own, err := os.Readlink(filepath.Join(procfs, "self", "ns", "pid"))
	if err != nil || pid == 0 || own != fmt.Sprintf("pid:[%d]", pidns) {
		return nil, fmt.Errorf("the process of containerd cannot be seen from here: %w", errdefs.ErrUnavailable)
	}
	args, err := os.ReadFile(filepath.Join(proc, "cmdline"))
	if err != nil || len(args) == 0 {
		return nil, fmt.Errorf("how containerd was started cannot be seen from here: %w", errdefs.ErrUnavailable)
	}
	named := configArgument(strings.Split(string(bytes.TrimRight(args, "\x00")), "\x00"))
	r := pinReader{root: filepath.Join(proc, "root"), pins: make(store.CRIPins), seen: make(map[string]bool)}
	ours, _ := os.Readlink(filepath.Join(procfs, "self", "ns", "mnt"))
	if theirs, err := os.Readlink(filepath.Join(proc, "ns", "mnt")); err == nil && theirs == ours {
		r.root = "" // the same files, and links are followed as containerd does
	}
	switch {
	case named == "":
		err = ignoreMissing(r.read(daemonConfigFile))
	case filepath.IsAbs(named):
		err = r.read(named)
	default:
		r.root, err = "", r.read(filepath.Join(proc, "cwd", named))
	}
	if err == nil {
		err = r.imports(filepath.Dir(daemonConfigFile), []string{daemonConfigDrops})
	}
	if err != nil {
		return nil, fmt.Errorf("the configuration of containerd: %w (%w)", err, errdefs.ErrUnavailable)
	}
	return r.pins, nil
}

// configArgument is the path that a command line gives for the configuration,
// "" if none.
func configArgument(args []string) (path string) {
	for i, arg := range args {
		name, value, inOne := strings.Cut(arg, "=")
		if !slices.Contains([]string{"-c", "--config", "-config", "--c"}, name) || i == 0 {
			continue
		}
		if inOne {
			path = value
		} else if i+1 < len(args) {
			path = args[i+1]
		}
	}
	return path
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// ConfiguredPins asks CRI for its configuration and reads what that says of the sandbox
// image; ok is false if it says nothing (2.x: it is that of another plugin).
func (c CRIConn) ConfiguredPins(ctx context.Context) (pins store.CRIPins, ok bool, err error) {
	verbose := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1)
	answer, err := c.ask(ctx, "RuntimeService", "Status", verbose)
	if err != nil {
		return nil, false, err
	}
	text, err := statusInfo(answer, "config")
	if err != nil {
		return nil, false, fmt.Errorf("reading the status of CRI: %w", err)
	}
	var config struct {
		SandboxImage string `json:"sandboxImage"`
	}
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		return nil, false, fmt.Errorf("reading the configuration of CRI in its status: %w", err)
	}
	if config.SandboxImage == "" {
		return nil, false, nil
	}
	return store.CRIPins{store.PinSandbox: {config.SandboxImage}}, true, nil
}

// statusInfo finds a value in the map that is field 2 of the answer: its
// entries are messages with the key in field 1 and the value in field 2.
func statusInfo(answer []byte, key string) (text string, err error) {
	text = "{}"
	err = EachField(answer, func(field protowire.Number, entry []byte) error {
		if field != 2 {
			return nil
		}
		var pair [3]string
		err := EachField(entry, func(field protowire.Number, value []byte) error {
			if field == 1 || field == 2 {
				pair[field] = string(value)
			}
			return nil
		})
		if pair[1] == key {
			text = pair[2]
		}
		return err
	})
	return text, err
}
