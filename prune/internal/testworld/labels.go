package testworld

import (
	"time"
)

// Labelled adds any label. The others of this file add those that the collector
// knows: a reference by RefX, one from the other side by BackX. A suffix is what
// may follow the key.
func Labelled(key, value string) Attr { return func(t *Thing) { t.Labels[key] = value } }

// suffixed joins a key of the collector with what may follow it: ".0",
// ".config", "/name".
func suffixed(key string, suffix []string) string {
	for _, s := range suffix {
		key += s
	}
	return key
}

// RefContent refers to a blob.
func RefContent(text string, suffix ...string) Attr {
	return Labelled(suffixed("containerd.io/gc.ref.content", suffix), Digest(text).String())
}

// RefSnapshot refers to a snapshot in snapshotter "memory".
func RefSnapshot(key string, suffix ...string) Attr {
	return Labelled(suffixed("containerd.io/gc.ref.snapshot.memory", suffix), key)
}

// RefImage refers to an image record.
func RefImage(name string, suffix ...string) Attr {
	return Labelled(suffixed("containerd.io/gc.ref.image", suffix), name)
}

// BackContent has a blob refer to the thing.
func BackContent(text string, suffix ...string) Attr {
	return Labelled(suffixed("containerd.io/gc.bref.content", suffix), Digest(text).String())
}

// BackSnapshot has a snapshot in snapshotter "memory" refer to the thing.
func BackSnapshot(key string, suffix ...string) Attr {
	return Labelled(suffixed("containerd.io/gc.bref.snapshot.memory", suffix), key)
}

// BackImage has an image record refer to the thing.
func BackImage(name string, suffix ...string) Attr {
	return Labelled(suffixed("containerd.io/gc.bref.image", suffix), name)
}

// BackContainer has a container refer to the thing.
func BackContainer(id string, suffix ...string) Attr {
	return Labelled(suffixed("containerd.io/gc.bref.container", suffix), id)
}

// WhileUsed refers to a snapshot as long as one of the conditions holds.
func WhileUsed(conditions, key string, suffix ...string) Attr {
	return Labelled(suffixed("containerd.io/gc.cond.snapshot.memory", suffix), conditions+"|"+key)
}

// UsedAt says when a snapshot was last used, for the conditions of [WhileUsed].
func UsedAt(at time.Time, suffix ...string) Attr {
	return Labelled(suffixed("containerd.io/gc.cond.value-usedat", suffix), at.Format(time.RFC3339))
}

// GCRoot keeps a thing from any collection.
func GCRoot() Attr { return Labelled("containerd.io/gc.root", "yes") }

// Expiring gives a lease or a record a time after which the collector does
// not honour it.
func Expiring(at time.Time) Attr { return Labelled("containerd.io/gc.expire", at.Format(time.RFC3339)) }

// Flat makes a lease hold only what it names.
func Flat() Attr { return Labelled("containerd.io/gc.flat", "yes") }
