package main

import "time"

// Versions of the documents that are not plans or reports. Fields are added
// without a new version; none goes away or changes its meaning without one.
const (
	explainSchema = 1
	usageSchema   = 1
	runsSchema    = 1
	leasesSchema  = 1
	checkSchema   = 1
)

// header begins every document.
type header struct {
	SchemaVersion int    `json:"schemaVersion"`
	Kind          string `json:"kind"`
	// Time is when the store was read.
	Time time.Time `json:"time"`
}
