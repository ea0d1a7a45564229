package prune

import (
	"time"
)

// labelled adds any label.
func labelled(key, value string) attr { return func(t *thing) { t.Labels[key] = value } }

// suffixed joins a key of the collector with what may follow it: ".0",
// ".config", "/name".
func suffixed(key string, suffix []string) string {
	for _, s := range suffix {
		key += s
	}
	return key
}

func refContent(text string, suffix ...string) attr {
	return labelled(suffixed("containerd.io/gc.ref.content", suffix), dig(text).String())
}

func refSnapshot(key string, suffix ...string) attr {
	return labelled(suffixed("containerd.io/gc.ref.snapshot.memory", suffix), key)
}

func refImage(name string, suffix ...string) attr {
	return labelled(suffixed("containerd.io/gc.ref.image", suffix), name)
}

func backContent(text string, suffix ...string) attr {
	return labelled(suffixed("containerd.io/gc.bref.content", suffix), dig(text).String())
}

func backSnapshot(key string, suffix ...string) attr {
	return labelled(suffixed("containerd.io/gc.bref.snapshot.memory", suffix), key)
}

func backImage(name string, suffix ...string) attr {
	return labelled(suffixed("containerd.io/gc.bref.image", suffix), name)
}

func backContainer(id string, suffix ...string) attr {
	return labelled(suffixed("containerd.io/gc.bref.container", suffix), id)
}

// whileUsed refers to a snapshot as long as one of the conditions holds.
func whileUsed(conditions, key string, suffix ...string) attr {
	return labelled(suffixed("containerd.io/gc.cond.snapshot.memory", suffix), conditions+"|"+key)
}

func usedAt(at time.Time, suffix ...string) attr {
	return labelled(suffixed("containerd.io/gc.cond.value-usedat", suffix), at.Format(time.RFC3339))
}

func gcRoot() attr { return labelled("containerd.io/gc.root", "yes") }

// expiring gives a lease or a record a time after which the collector does
// not honour it.
func expiring(at time.Time) attr { return labelled("containerd.io/gc.expire", at.Format(time.RFC3339)) }

func flat() attr { return labelled("containerd.io/gc.flat", "yes") }
