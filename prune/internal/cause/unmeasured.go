package cause

import "fmt"

// unmeasured names the first of the snapshots that could not be measured.
func unmeasured(p *Parts) string {
	first := p.Objects[0]
	text := fmt.Sprintf("snapshot %s in namespace %q", first.Name, first.Namespace)
	them := "it"
	if p.Snapshots > 1 {
		them = "them"
		text += fmt.Sprintf(" and %d more", p.Snapshots-1)
	}
	return text + fmt.Sprintf(" could not be measured, so sizes that include %s are lower bounds", them)
}
