package text

import (
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// frees is what an image adds to what is freed, where it has its first name.
func frees(image prune.ImageDocument) string {
	if image.Action == prune.Keep || image.FreesBytes == 0 {
		return "-"
	}
	return terminal.Size(image.FreesBytes)
}

// relief shows the disks with what has to be freed there.
func (v document) relief(r *prune.Relief) {
	if r == nil {
		return
	}
	for _, run := range r.Dropped {
		v.out.Sentence("Would first end the grace of run %s, which can then not be undone.", run)
	}
	for _, d := range r.Disks {
		switch {
		case d.Unseen != "":
			v.out.Sentence("How full the disk of %s is cannot be told: %s.", v.out.Prose(d.String()), v.out.Prose(d.Unseen))
		case d.NeedBytes+d.NeedInodes == 0:
			v.out.Sentence("Disk of %s: %d%% of %s in use, of which this frees %s.", v.out.Prose(d.Path), d.UsedPercent(), terminal.Size(d.CapacityBytes), terminal.Size(d.FreesBytes))
		default:
			v.out.Sentence("Disk of %s: %d%% of %s in use; %s has to go, of which this frees %s.", v.out.Prose(d.Path), d.UsedPercent(), terminal.Size(d.CapacityBytes), missing(d.NeedBytes, d.NeedInodes), missing(d.FreesBytes, d.FreesInodes))
		}
	}
}

func missing(bytes, inodes int64) string {
	if inodes == 0 {
		return terminal.Size(bytes)
	}
	return terminal.Size(bytes) + " and " + terminal.Count(int(inodes), "inode")
}
