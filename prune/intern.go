package prune

// interned keeps one copy of each text. The labels of blobs repeat each other:
// the same few keys, and for values the digests of other blobs. As they come
// from containerd each is a copy of its own, and together they were a third of
// an inventory.
type interned map[string]string

func (t interned) text(s string) string {
	if same, ok := t[s]; ok {
		return same
	}
	t[s] = s
	return s
}

// labels returns the same labels as a new map.
func (t interned) labels(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	own := make(map[string]string, len(m))
	for key, value := range m {
		own[t.text(key)] = t.text(value)
	}
	return own
}
