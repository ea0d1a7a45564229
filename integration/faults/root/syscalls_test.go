package root

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Where in the removal of a directory the kernel is to kill a process.
const (
	atFile      = "file"      // before the first thing in it is removed
	atDirectory = "directory" // before the first directory in it is
)

// dieInDirectory has the kernel kill this process, all its threads, at the next
// removal of something that is named by its parent's descriptor: this is how
// os.RemoveAll removes what is in a directory, but not the directory itself.
func dieInDirectory(at string) error {
	flags := map[string]uint32{atFile: 0, atDirectory: unix.AT_REMOVEDIR}[at]
	const number, descriptor, third = 0, 16, 32 // in struct seccomp_data, of a little-endian machine
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	jump := func(value uint32, equal, other uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: equal, Jf: other, K: value}
	}
	end := func(value uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: value} }
	cwd := unix.AT_FDCWD
	filter := []unix.SockFilter{
		load(number), jump(unix.SYS_UNLINKAT, 0, 5),
		load(descriptor), jump(uint32(cwd), 3, 0),
		load(third), jump(flags, 0, 1),
		end(unix.SECCOMP_RET_KILL_PROCESS),
		end(unix.SECCOMP_RET_ALLOW),
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}
