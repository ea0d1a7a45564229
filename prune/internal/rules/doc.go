// Package rules decides what happens to each image record: it turns an
// inventory and a policy into decisions with their causes. It does no I/O.
//
// First, decide.go judges each record by itself; then family.go and lineage.go
// let what belongs to an image be kept or removed with it, ties.go does the
// same for records that depend on others, and lastrecord.go creates stand-ins.
package rules
