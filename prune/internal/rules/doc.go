// Package rules decides what becomes of each image record: an inventory and a
// policy go in, decisions with their causes come out. It is pure.
//
// A record goes through decide.go by itself, then family.go and lineage.go let
// what belongs to an image live and die with it, ties.go does so for records
// that hang on others, and lastrecord.go makes stand-ins.
package rules
