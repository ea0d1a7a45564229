package trust

import (
	"fmt"
	"os"
)

// File refuses an open file in which somebody else may have written what is
// read. It looks at what was opened and not at its name, which may mean another
// by now; then at who may have put it there.
func (j Judge) File(f *os.File) error {
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if user := owner(fi); !j.believes(user) {
		return &Refusal{fmt.Sprintf("this file belongs to user %d, who is neither root nor the user running this", user), "review it and make a copy of your own"}
	}
	if who, class := j.writers(fi); who != "" && !(fi.IsDir() && isConfigMap(f)) {
		return &Refusal{fmt.Sprintf("%s may write to this file, its mode is %04o", who, fi.Mode().Perm()), "review it and " + chmod(class)}
	}
	return j.way("file", f.Name())
}
