package rules

import (
	"strings"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// unknown are the holders whose image is not in the namespace, by what they call
// it: "" if they call it nothing.
type unknown struct {
	images []string // in the order in which they were found
	users  map[string][]cause.User
	told   map[[2]string]bool
	named  map[string]bool // holders that call some image by a name
}

func newUnknown() *unknown {
	return &unknown{users: make(map[string][]cause.User), told: make(map[[2]string]bool), named: make(map[string]bool)}
}

func (u *unknown) add(use inventory.Use) {
	if buildStep(use) {
		return
	}
	who := cause.User{Holder: use.Holder}
	key := [2]string{use.Image, who.String()}
	if u.told[key] {
		return
	}
	u.told[key] = true
	if use.Image != "" {
		u.named[who.String()] = true
	}
	if len(u.users[use.Image]) == 0 {
		u.images = append(u.images, use.Image)
	}
	u.users[use.Image] = append(u.users[use.Image], who)
}

// notes tell of them, of each image once. A holder of which the name and the
// snapshot of one image are told apart is in the note with the name.
func (u *unknown) notes() []cause.Cause {
	var notes []cause.Cause
	for _, image := range u.images {
		users, code := u.users[image], cause.CodeImageAbsent
		if image == "" {
			users, code = u.nameless(), cause.CodeImageUnnamed
		}
		if len(users) == 0 {
			continue
		}
		note := cause.UsedBy(code, users)
		note.ReasonParts.Image = image
		notes = append(notes, note.Told())
	}
	return notes
}

// nameless are the holders that call no image by a name.
func (u *unknown) nameless() (users []cause.User) {
	for _, who := range u.users[""] {
		if !u.named[who.String()] {
			users = append(users, who)
		}
	}
	return users
}

// buildStepID is the length of an ID that buildkit makes up.
const buildStepID = 25

// buildStep says whether a use is that of a container in which buildkit runs a
// step of a build: it has a made-up ID, files of buildkit's own, and no image.
func buildStep(use inventory.Use) bool {
	h := use.Holder
	return use.Image == "" && use.Snapshot.Key == "" && h.Name == "" && h.Client == "" && len(h.ID) == buildStepID &&
		strings.Trim(h.ID, "0123456789abcdefghijklmnopqrstuvwxyz") == ""
}
