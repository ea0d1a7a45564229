package trust

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"syscall"
)

// Judge knows who is believed: root, and some users.
type Judge struct {
	users []int
	// unmapped is the user ID that stands for all users whom this user
	// namespace does not know; negative outside of one.
	unmapped int
}

// Of believes root and the users.
func Of(users ...int) Judge { return Judge{append([]int{0}, users...), -1} }

// Self believes root and the user of this process.
func Self() Judge {
	j := Of(os.Geteuid())
	j.unmapped = unmapped(os.ReadFile)
	return j
}

// And returns a Judge that believes other users too.
func (j Judge) And(users ...int) Judge {
	return Judge{append(slices.Clip(j.users), users...), j.unmapped}
}

// unmapped returns the user ID that user_namespaces(7) shows for users that
// this namespace does not know; root of the machine is one of them. Outside of
// such a namespace, or if that cannot be read, there is none.
func unmapped(read func(string) ([]byte, error)) int {
	ids, err := read("/proc/self/uid_map")
	fields := bytes.Fields(ids)
	if err != nil || len(fields) == 3 && string(fields[2]) == "4294967295" {
		return -1
	}
	text, err := read("/proc/sys/kernel/overflowuid")
	id, bad := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil || bad != nil {
		return -1
	}
	return id
}

func (j Judge) believes(user int) bool { return slices.Contains(j.users, user) }

// believesGroup says whether the members of a group are all believed: those of
// root's, and of the group of the same number that users have for themselves
// where the system gives each user one.
func (j Judge) believesGroup(group int) bool { return slices.Contains(j.users, group) }

// Refusal is the error for what somebody else controls.
type Refusal struct {
	// Problem is the beginning of a sentence, and Remedy what to do about it.
	Problem, Remedy string
}

func (r *Refusal) Error() string { return r.Problem + ": " + r.Remedy }

const (
	groupWritable = 0o020
	worldWritable = 0o002
)

// writers says who else may write to something by its mode, "" if nobody. The
// second text is the class of these for chmod(1).
func (j Judge) writers(fi fs.FileInfo) (who, class string) {
	switch mode := fi.Mode().Perm(); {
	case mode&worldWritable != 0:
		return "every user", "o"
	case mode&groupWritable != 0 && !j.believesGroup(group(fi)):
		return fmt.Sprintf("every member of group %d", group(fi)), "g"
	}
	return "", ""
}

func owner(fi fs.FileInfo) int { return int(fi.Sys().(*syscall.Stat_t).Uid) }
func group(fi fs.FileInfo) int { return int(fi.Sys().(*syscall.Stat_t).Gid) }

// chmod is the advice to take a right away.
func chmod(class string) string { return "remove that permission with chmod " + class + "-w" }
