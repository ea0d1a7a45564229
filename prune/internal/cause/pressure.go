package cause

import (
	"fmt"
	"strings"

	"github.com/docker/go-units"
)

// The codes of why an image stays although it could go, and of what is missing when
// not enough can.
const (
	CodeEnough       Code = "enough-freed"
	CodeFreesNothing Code = "frees-nothing"
	CodeReserved     Code = "reserved"
	CodeShort        Code = "target-unreached"
)

// Share is what one sort of holder has of a disk: so many bytes or, where inodes
// are missing, inodes.
type Share struct {
	Holder string `json:"holder"`
	Bytes  int64  `json:"bytes,omitempty"`
	Inodes int64  `json:"inodes,omitempty"`
}

// The sorts of holders.
const (
	ShareContainers = "containers"
	SharePins       = "pinned images"
	ShareImages     = "images that are kept"
	ShareNamespaces = "images of other namespaces"
	ShareBuilds     = "build cache and history"
	ShareLeases     = "leases"
	ShareGraces     = "runs that can be undone"
	ShareUploads    = "unfinished uploads"
	ShareLabels     = "objects labelled as roots"
	ShareOthers     = "what is not containerd's"
)

// unreached says what is missing where, and who holds what is there.
func unreached(p *Parts) string {
	var missing []string
	if p.Bytes > 0 {
		missing = append(missing, units.HumanSizeWithPrecision(float64(p.Bytes), 4))
	}
	if p.Inodes > 0 {
		missing = append(missing, fmt.Sprintf("%d inodes", p.Inodes))
	}
	if p.Images > 0 {
		missing = append(missing, fmt.Sprintf("%d images", p.Images))
	}
	text := "not enough can be freed: " + strings.Join(missing, " and ") + " more would have to go"
	if p.Path != "" {
		text += fmt.Sprintf(" from the disk of %q", p.Path)
	}
	if len(p.Shares) == 0 {
		return text + ", and nothing is left there that could"
	}
	return text + "; what is left there: " + shared(p.Shares)
}

func shared(all []Share) string {
	texts := make([]string, len(all))
	for i, s := range all {
		if texts[i] = s.Holder + " " + units.HumanSizeWithPrecision(float64(s.Bytes), 4); s.Inodes > 0 {
			texts[i] = fmt.Sprintf("%s %d inodes", s.Holder, s.Inodes)
		}
	}
	return strings.Join(texts, ", ")
}
