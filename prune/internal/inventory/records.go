package inventory

import (
	"cmp"

	"github.com/opencontainers/go-digest"
)

// Record names an image record.
type Record struct {
	Namespace string        `json:"namespace"`
	Name      string        `json:"name"`
	Target    digest.Digest `json:"target"`
}

// CompareRecords orders records by namespace and name.
func CompareRecords(a, b Record) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
