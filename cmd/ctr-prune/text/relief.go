package text

import (
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/rounds"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

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

// Rounds says what each round of a run under pressure did, if there were several, and
// what ending graces gave back.
func Rounds(out *terminal.Printer, s *rounds.Summary) {
	if s == nil {
		return
	}
	if s.EndedGraces.TotalBytes > 0 {
		out.Sentence("Ending the grace of earlier runs gave back %s.", terminal.Size(s.EndedGraces.TotalBytes))
	}
	if len(s.Rounds) < 2 {
		return
	}
	for i, r := range s.Rounds {
		out.Sentence("Round %d of %d removed %s and freed %s of %s.", i+1, len(s.Rounds),
			terminal.Count(r.Removed, "name"), terminal.Size(r.Reclaimed.TotalBytes), terminal.Size(r.Predicted.TotalBytes))
	}
}

func missing(bytes, inodes int64) string {
	if inodes == 0 {
		return terminal.Size(bytes)
	}
	return terminal.Size(bytes) + " and " + terminal.Count(int(inodes), "inode")
}
