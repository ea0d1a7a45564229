package retention

import "fmt"

// Blown says why a run that wants to remove so many of all records is refused,
// "" if it is not.
func (f Fuse) Blown(going, all int) string {
	switch {
	case f.Count > 0 && going > f.Count:
		return fmt.Sprintf("this would remove %d image records, and the policy's fuse allows %d in one run", going, f.Count)
	case f.Images > 0 && going*100 > all*f.Images:
		return fmt.Sprintf("this would remove %d of %d image records, and the policy's fuse allows %s of them in one run", going, all, percentage(f.Images))
	default:
		return ""
	}
}

func percentage(n int) string { return fmt.Sprintf("%d%%", n) }
