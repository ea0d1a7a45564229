package trust

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// A ConfigMap's volume is believed as the kubelet mounts it into a container, and what
// only looks like one is not.
func TestConfigMapVolume(t *testing.T) {
	const volume = "pods/c0ffee/volumes/kubernetes.io~configmap/config"
	for name, c := range map[string]struct {
		from     string
		writable bool
		below    string
		want     bool
	}{
		"a ConfigMap":                  {from: volume, want: true},
		"a folder in a ConfigMap":      {from: volume, below: "protect.d", want: true},
		"a ConfigMap that is writable": {from: volume, writable: true},
		"an emptyDir":                  {from: "pods/c0ffee/volumes/kubernetes.io~empty-dir/config"},
		"a folder in such a folder":    {from: volume + "/more"},
		"another folder":               {from: "etc"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			from := filepath.Join(b.above, c.from)
			file := filepath.Join(b.dir, c.below, "f")
			must(t, os.MkdirAll(filepath.Join(from, c.below), 0o755), os.Chmod(from, 0o777), os.WriteFile(filepath.Join(from, c.below, "f"), nil, 0o644))
			got := inMounts(func() error {
				err := unix.Mount(from, b.dir, "", unix.MS_BIND, "")
				if err == nil && !c.writable {
					err = unix.Mount("", b.dir, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
				}
				if err != nil {
					return err
				}
				if err := judged(filepath.Dir(file)); c.want && err != nil {
					return err // the folder is read for the files in it
				}
				return judged(file)
			})
			var refused *Refusal
			if c.want && got != nil || !c.want && !errors.As(got, &refused) {
				t.Errorf("it says %v", got)
			}
			// What it is made of is a folder to which everybody may write.
			if err := judged(filepath.Join(from, c.below, "f")); !errors.As(err, &refused) {
				t.Errorf("on the node it says %v", err)
			}
		})
	}
}

func judged(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return Of().File(f)
}

// inMounts calls a function with mounts of its own.
func inMounts(fn func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine
		err := errors.Join(unix.Unshare(unix.CLONE_FS|unix.CLONE_NEWNS), unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
		if err == nil {
			err = fn()
		}
		done <- err
	}()
	return <-done
}
