package cause

import (
	"fmt"
	"strings"
)

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

// silent says of a snapshotter in which namespaces it has snapshots. As the
// reason of one namespace it is a sentence already.
func silent(p *Parts) string {
	if p.Name == "" {
		return p.Detail
	}
	return fmt.Sprintf("snapshotter %q does not answer, so its snapshots in %d namespaces (%s) are not counted: %s", p.Name, len(p.Names), strings.Join(p.Names, ", "), p.Detail)
}
