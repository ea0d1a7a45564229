package daemon

import "golang.org/x/sys/unix"

// memoryBytes is what a store in memory needs at least.
const memoryBytes = 512 << 20

// Memory returns a folder in memory for [Options.Dir], where stores that are
// made and thrown away many times need not wait for a disk, or the empty string
// if there is none with room.
func Memory() string {
	const shm = "/dev/shm"
	var st unix.Statfs_t
	if unix.Statfs(shm, &st) != nil || st.Type != unix.TMPFS_MAGIC || st.Bavail*uint64(st.Bsize) < memoryBytes {
		return ""
	}
	return shm
}
