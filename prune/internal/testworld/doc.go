// Package testworld is the fixture of the tests of this library: stores that are
// filled in the process, within milliseconds, and what tests do with them. Only
// tests import it; `make lint` holds that.
//
// A [World] says what is in a store. Functions named after the objects and their
// labels are the language to write one in:
//
//	World{"default": {
//		Blob("manifest", RefContent("config"), RefContent("layer")),
//		Blob("config", RefSnapshot("top")), Blob("layer"),
//		Snapshot("base", ""), Snapshot("top", "base"),
//		Record("docker.io/library/a:1", "manifest"),
//		Container("c", "docker.io/library/a:1", "rw"), Active("rw", "top"),
//		Lease("pull", Holding(TheBlob("layer")), Expiring(Later)),
//	}}
//
// There are two ways to a test from there. [World.Inventory] is what would be
// read of such a store, without one: tables of decisions take it, at [Noon]; see
// [CheckDecided]. [World.Build] makes the store, by containerd's own packages for
// metadata and content, in a folder of the test; only its snapshots have no
// files. A [Scene] is a test around such a store, with plans and runs. Its [Tape]
// lists what a run changes, and lets a test fail each call, or do something just
// before or after it. [Process] stands for the process of a run, which the next
// one finds dead or alive. [RandomWorld] draws worlds for tests of properties.
// [Linear] counts statements, to tell a square from a line on a busy machine.
//
// Tests import the package as tw, so that a world fits on a line.
package testworld
