package locate

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"
)

// maxConfiguration bounds a configuration file.
const maxConfiguration = 1 << 20

// configured is the address that another program of this machine is configured with, and
// where that is said; "" if there is none. nerdctl uses nothing but containerd, so its
// configuration counts whatever it names. crictl's may name another runtime, and then tells
// nothing.
func (m Machine) configured() (socket, from string, err error) {
	if socket, from, err = m.nerdctl(); socket != "" || err != nil {
		return socket, from, err
	}
	endpoint, from, err := m.crictl()
	socket = strings.TrimPrefix(endpoint, "unix://")
	if filepath.Base(socket) != filepath.Base(Standard) || !filepath.IsAbs(socket) {
		return "", "", err
	}
	return socket, from, err
}

// nerdctl is the address in nerdctl.toml, which is where nerdctl looks for it
// (docs/config.md of nerdctl).
func (m Machine) nerdctl() (address, file string, err error) {
	if file = m.Getenv("NERDCTL_TOML"); file == "" {
		file = "/etc/nerdctl/nerdctl.toml"
		if m.Unprivileged {
			file = filepath.Join(m.configs(), "nerdctl/nerdctl.toml")
		}
	}
	var config struct {
		Address string `toml:"address"`
	}
	err = m.read(file, func(text []byte) error { return toml.Unmarshal(text, &config) })
	return config.Address, file, err
}

// crictl is the runtime's endpoint as crictl finds it (docs/crictl.md of cri-tools).
func (m Machine) crictl() (endpoint, from string, err error) {
	const variable = "CONTAINER_RUNTIME_ENDPOINT"
	if endpoint = m.Getenv(variable); endpoint != "" {
		return endpoint, "$" + variable, nil
	}
	file := m.Getenv("CRI_CONFIG_FILE")
	if file == "" {
		file = "/etc/crictl.yaml"
	}
	var config struct {
		Endpoint string `yaml:"runtime-endpoint"`
	}
	err = m.read(file, func(text []byte) error { return yaml.Unmarshal(text, &config) })
	return config.Endpoint, file, err
}

// configs is where programs of this user keep their configurations (XDG Base
// Directory Specification).
func (m Machine) configs() string {
	if dir := m.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(m.Getenv("HOME"), ".config")
}

// read parses a file, if it is there.
func (m Machine) read(file string, parse func([]byte) error) error {
	f, err := os.Open(m.path(file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var text []byte
	if err == nil {
		text, err = io.ReadAll(io.LimitReader(f, maxConfiguration))
		err = errors.Join(err, f.Close())
	}
	if err == nil {
		err = parse(text)
	}
	if err != nil {
		return fmt.Errorf("reading containerd's address from %s: %w", file, err)
	}
	return nil
}
