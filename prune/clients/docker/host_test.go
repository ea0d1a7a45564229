package docker

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"
)

type fileInfo fs.FileMode

func (fileInfo) Name() string            { return "docker.sock" }
func (fileInfo) Size() int64             { return 0 }
func (m fileInfo) Mode() fs.FileMode     { return fs.FileMode(m) }
func (fileInfo) ModTime() time.Time      { return time.Time{} }
func (m fileInfo) IsDir() bool           { return fs.FileMode(m).IsDir() }
func (fileInfo) Sys() any                { return nil }
func noFile(string) (fs.FileInfo, error) { return nil, fs.ErrNotExist }

func TestDefault(t *testing.T) {
	is := func(mode fs.FileMode) func(string) (fs.FileInfo, error) {
		return func(path string) (fs.FileInfo, error) {
			if path != DefaultSocket {
				return nil, errors.New("looked at " + path)
			}
			return fileInfo(mode), nil
		}
	}
	for _, c := range []struct {
		env  string
		stat func(string) (fs.FileInfo, error)
		want string
	}{
		{"", noFile, ""},
		{"", is(fs.ModeSocket), DefaultSocket},
		{"", is(fs.ModeDir), ""},
		{"", is(0), ""},
		{"unix:///run/user/1/docker.sock", is(fs.ModeSocket), "unix:///run/user/1/docker.sock"},
		{"unix:///run/user/1/docker.sock", noFile, "unix:///run/user/1/docker.sock"},
		{"tcp://10.0.0.1:2375", noFile, ""},
		{"ssh://host", is(fs.ModeSocket), DefaultSocket},
	} {
		getenv := func(key string) string {
			if key != "DOCKER_HOST" {
				t.Errorf("asked for $%s", key)
			}
			return c.env
		}
		if got := Default(getenv, c.stat); got != c.want {
			t.Errorf("DOCKER_HOST=%q: got %q, want %q", c.env, got, c.want)
		}
	}
}

func TestCheckHost(t *testing.T) {
	for _, c := range []struct{ host, want string }{
		{"/var/run/docker.sock", ""},
		{"unix:///var/run/docker.sock", ""},
		{"", "it is empty"},
		{"unix://", "it is empty"},
		{"docker.sock", "not an absolute path"},
		{"unix://docker.sock", "not an absolute path"},
		{"tcp://127.0.0.1:2375", "not a unix socket"},
		{"npipe:////./pipe/docker_engine", "not a unix socket"},
	} {
		err := Check(c.host)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.host, err, c.want)
		}
		if _, newErr := New(c.host, nil); (newErr == nil) != (err == nil) {
			t.Errorf("%q: New says %v", c.host, newErr)
		}
	}
}
