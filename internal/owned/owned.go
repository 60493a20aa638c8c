// Package owned gives files that root makes to the owner of their folder: what an administrator changes for a service must stay
// readable to the service.
package owned

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Adopt gives a file to the owner of its folder. For anyone but root there is nothing to do.
func Adopt(file *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(file.Name()))
	if err != nil {
		return fmt.Errorf("owner of the folder: %w", err)
	}
	sys, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if err := file.Chown(int(sys.Uid), int(sys.Gid)); err != nil {
		return fmt.Errorf("give the file to the owner of its folder: %w", err)
	}
	return nil
}
