//go:build unix

package stream

import "golang.org/x/sys/unix"

// freeBytes is what a folder's disk has to give to this user, if the system tells.
func freeBytes(dir string) (free int64, known bool) {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return 0, false
	}
	return int64(disk.Bavail) * int64(disk.Bsize), true //nolint:unconvert // other systems have other types
}
