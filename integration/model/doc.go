// Package model lets clients, pruners and the clock do what they like to a
// store, thousands of steps at random, and holds ctr-prune to its promises
// after each.
//
// The store is a containerd root that is open in this process, with containerd's
// own metadata database, content store and native snapshotter, so the collector
// that says who is right is containerd's own. Each store lives in a bubble of
// [testing/synctest]: a clock advance of four days costs nothing, and both the
// collector and ctr-prune see it.
//
// In some runs other clients act, at any of the run's calls and in the midst of
// their own work: a company. Its calls and theirs have an order, a journal, so
// that what either may do is known to the call. Two things are allowed that
// docs/design.md tells of, and matched exactly: company.inTheGap and
// company.mayDelete.
//
// Which check holds which promise:
//
//	I1   nothing that is referred to goes       machine.noHarm (the oracle), around each run, undo, repair;
//	                                            company.reachable and company.users among clients
//	I2   nothing outside the plan is touched    run.onlyPlanned, oracle.CheckUntouched; company.eachRecord;
//	                                            run.onlyNamed for plan files, machine.applyElsewhere
//	I3   reclaimed is what the disk lost        run.reclaimed, and a collection after it takes nothing
//	I4   reclaimed is what was predicted        run.undisturbed; machine.collect for garbage
//	I5   a second run finds nothing to do       run.undisturbed
//	I6   killed and run again is uninterrupted  machine.killAndRerun, against a twin of the store
//	I7   each deleted image has its record or is held  watched.heldNow before each delete, watched.collectNow at any call;
//	                                            company.deletedAreWhole after all that clients do
//	I8   an error while reading changes nothing machine.failToRead
//	I9   a root more never frees more           machine.check, after each step that only adds a root; but for images that
//	                                            a container may have been made from, beside others on its chain
//	I10  every record has one action, a reason  machine.check, after each step; company.allTold
//	I13  nothing of a run is left               run.nothingOfOurs; the bubble waits for goroutines; bed.history for mounts
//	I14  what is said to stay is there after    run.stays, around each run, and after a further collection; what is gone is
//	                                            told; company.mayCollect among clients; grace.allBack after an undo
//
// Two of three stores have records that live only while others do, as
// `ctr images import --index-name` makes them, and records with an end. In all,
// objects may refer to records, and a kubelet may not know its pods yet. What a
// collection takes whoever prunes is told by [oracle.State.Collectible]. The
// collector in this process is that of containerd 2.4: to older ones these labels
// mean less, which TestCollectorsRulesByVersion of prune/internal/gc holds.
//
// And prune.Check has nothing to tell that no step has planted.
package model
