package clients

import (
	"errors"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// AddNewcomers adds what may use an image to a namespace of which only what has
// appeared was read. It claims rather too much than too little, because what it
// finds is only a reason to read the store again: whatever is mounted counts as a
// container that is being created, whoever holds it.
func AddNewcomers(ns *inventory.Namespace, loaded []string, now time.Time) error {
	AddVolumes(ns)
	err := errors.Join(silent(ns), AddContainers(ns))
	for key := range mounted(ns) {
		ns.Uses = append(ns.Uses, inventory.Use{Holder: snapshotHolder(ns, key), Snapshot: key, Begun: true})
	}
	for _, lease := range ns.Leases {
		for _, r := range lease.Resources {
			if r.Type == "images" {
				ns.Uses = append(ns.Uses, inventory.Use{Holder: cause.Holder{Kind: "lease", ID: lease.ID}, Image: r.ID})
			}
		}
	}
	for _, c := range ns.Containers {
		for key, value := range c.Labels {
			if strings.HasPrefix(key, store.ImageLabel) {
				ns.Uses = append(ns.Uses, inventory.Use{Holder: inventory.HolderOf(c), Image: value})
			}
		}
	}
	return errors.Join(err, unloaded(ns, loaded, now))
}
