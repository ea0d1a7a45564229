package cause

import (
	"fmt"
	"strings"
)

// Fixed is a sentence that names nothing.
func Fixed(text string) func(*Parts) string { return func(*Parts) string { return text } }

// detail is what another said, which is a sentence.
func detail(p *Parts) string { return p.Detail }

func together(p *Parts) string {
	text := fmt.Sprintf("CRI keeps the names of an image together, and %q is kept", p.Image)
	if p.Because != nil {
		text += ": " + p.Because.Reason
	}
	return text
}

func (p *Parts) noStandIn(because string) string {
	return fmt.Sprintf("its image is in use by %s, and its stand-in %q %s", p.some(), p.Image, because)
}

// stillThere says that a blob, or a snapshot of a namespace, was not freed.
func (p *Parts) stillThere(because string) string {
	what := p.Target.String()
	if p.Snapshot != "" {
		what = fmt.Sprintf("snapshot %s in namespace %q", p.Snapshot, p.Namespace)
	}
	return what + " was expected to be removed but is still there: " + because
}

// freed says which command releases an object.
func freed(command string) string { return "`" + command + "` frees it" }

// some names the first of several and counts the rest.
func (p *Parts) some() string {
	texts := make([]string, len(p.Users))
	for i, u := range p.Users {
		texts[i] = u.String()
	}
	if p.More > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(texts, ", "), p.More)
	}
	return strings.Join(texts, " and ")
}

// verb is the form of a verb for the users.
func (p *Parts) verb(one, several string) string {
	if len(p.Users)+p.More > 1 {
		return several
	}
	return one
}
