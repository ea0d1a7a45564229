package proc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ctr-prune/ctr-prune/prune/internal/strictjson"
)

// Owner identifies a process, and a run in it, exactly enough to prove later that
// it is gone.
type Owner struct {
	PID int `json:"pid"`
	// Start is the process's start time in clock ticks since boot
	// (proc(5), field 22 of stat): it tells a reused PID apart.
	Start uint64 `json:"start,omitempty"`
	// BootID is the kernel's random boot ID.
	BootID string `json:"boot,omitempty"`
	// PIDNamespace is the PID namespace in which PID counts.
	PIDNamespace string `json:"pidns,omitempty"`
	// Sign is the pipe that the process keeps open while the run lasts, as
	// /proc/PID/fd names it (proc(5), "pipe:[inode]"). Empty: the run lasts as
	// long as the process. See [Procfs.Begin].
	Sign string `json:"sign,omitempty"`
	// Lock is the file that the process has locked as long as it lives, see
	// [Procfs.Lock].
	Lock string `json:"lock,omitempty"`
	// Host is the host name, for people only.
	Host string `json:"host,omitempty"`
}

func (o Owner) String() string {
	if o.PID == 0 {
		return "an unknown process"
	}
	if o.Host == "" {
		return fmt.Sprintf("process %d", o.PID)
	}
	return fmt.Sprintf("process %d on %s", o.PID, o.Host)
}

// Procfs reads the facts about processes that ownership is judged by.
type Procfs struct {
	// Root is where procfs is mounted; empty means /proc.
	Root string
	// Lock identifies a file that the calling process has locked with flock(2), for
	// itself alone, for as long as it lives, by its device and inode, for example.
	// Its runs then say so, and whoever has the lock next knows that they are over,
	// also where a PID proves nothing because it counts in another PID namespace.
	Lock string
}

// Self describes the calling process, for what lasts as long as it does; a run
// is described by [Procfs.Begin]. Facts that cannot be read stay empty, which
// makes the owner harder to prove dead, never easier.
func (p Procfs) Self() Owner {
	host, _ := os.Hostname() // only shown to people
	pid := os.Getpid()
	start, _ := p.startTicks(pid) // zero: never proved dead by its PID
	return Owner{PID: pid, Start: start, BootID: p.bootID(), PIDNamespace: p.pidNamespace(), Lock: p.Lock, Host: host}
}

// Dead says whether the owner provably no longer runs: the machine was booted
// since, or this process has the lock that the owner had for life, or the
// owner's PID, in a PID namespace that this process shares, is free or was given
// to another process, or the process lives and has put the sign of this run away. Containerd serves local sockets and local files, so owner and
// caller run under the same kernel.
func (p Procfs) Dead(o Owner) bool {
	boot := p.bootID()
	if o.BootID == "" || boot == "" {
		return false
	}
	if o.BootID != boot {
		return true
	}
	if p.Lock != "" && o.Lock == p.Lock && !p.isSelf(o) {
		return true
	}
	if o.PID == 0 || o.PIDNamespace == "" || o.PIDNamespace != p.pidNamespace() {
		return false
	}
	start, err := p.startTicks(o.PID)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p.showsAll()
	case err != nil || o.Start == 0:
		return false
	default:
		return start != o.Start || p.ended(o)
	}
}

// isSelf says whether the owner is the calling process.
func (p Procfs) isSelf(o Owner) bool {
	self := p.Self()
	return o.PID == self.PID && o.Start == self.Start && o.PIDNamespace == self.PIDNamespace
}

// showsAll says whether processes of other users are shown: with the mount
// option hidepid one that runs may look absent. Process 1 is always there.
func (p Procfs) showsAll() bool {
	_, err := p.startTicks(1)
	return err == nil
}

func (p Procfs) path(elem ...string) string {
	root := p.Root
	if root == "" {
		root = "/proc"
	}
	return filepath.Join(append([]string{root}, elem...)...)
}

func (p Procfs) bootID() string {
	b, err := os.ReadFile(p.path("sys/kernel/random/boot_id"))
	if err != nil {
		return "" // unknown: nobody is proved dead
	}
	return strings.TrimSpace(string(b))
}

func (p Procfs) pidNamespace() string {
	link, err := os.Readlink(p.path("self/ns/pid"))
	if err != nil {
		return "" // unknown: nobody is proved dead
	}
	return link
}

// startTicks reads field 22 of /proc/PID/stat. The second field, the command
// name, may hold spaces and parentheses, so fields are counted from the last ')'.
// A zombie has ended: it counts as not existing.
func (p Procfs) startTicks(pid int) (uint64, error) {
	b, err := os.ReadFile(p.path(strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, err
	}
	end := bytes.LastIndexByte(b, ')')
	if end < 0 {
		return 0, fmt.Errorf("stat of process %d has no name", pid)
	}
	fields := strings.Fields(string(b[end+1:]))
	if len(fields) < 20 {
		return 0, fmt.Errorf("stat of process %d has %d fields after the name", pid, len(fields))
	}
	if fields[0] == "Z" || fields[0] == "X" {
		return 0, fs.ErrNotExist
	}
	return strconv.ParseUint(fields[19], 10, 64)
}

// Encode writes the owner down.
func (o Owner) Encode() string {
	b, err := json.Marshal(o)
	if err != nil {
		return "{}" // a struct of strings and numbers always encodes
	}
	return string(b)
}

// Decode reads what [Owner.Encode] has written. What cannot be read is an owner
// of whom nothing is known.
func Decode(s string) Owner {
	var o Owner
	if err := strictjson.Unmarshal([]byte(s), &o); err != nil {
		return Owner{} // unreadable: never proved dead, only its expiry ends it
	}
	return o
}
