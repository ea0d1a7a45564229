package filters

import "time"

// Subject is what a [Set] judges: one image record or, in the namespace k8s.io,
// one unit of several records that can only be removed together.
type Subject struct {
	// Names are the names of the records as stored. Not every name in a store can
	// be parsed as an image reference.
	Names []string
	// Dangling says that every name is dangling.
	Dangling bool
	// Born is the newest of the record's creation time, its update time and the
	// time its target was committed to the store. Zero means that it is unknown;
	// then no until filter matches.
	Born time.Time
	// Labels are the labels of the image config of each present platform. They are
	// needed only if [Set.NeedsLabels]. A platform without labels has an empty
	// map; no map at all means that nothing is known, and then no label filter
	// matches.
	Labels []map[string]string
	// LabelsErr says why the configs could not be judged, for example "config
	// sha256:… cannot be parsed". If it is not empty, no label filter matches,
	// whatever Labels holds.
	LabelsErr string
}
