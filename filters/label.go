package filters

import "strings"

// label is one filter on the labels of the image config, with or without a
// value.
type label struct {
	key, value string
	hasValue   bool // compare the value too; it may be empty
	not        bool // label!=
}

// parseLabel parses K or K=V, the part of a filter after label= or label!=.
// Everything after the first "=" is the value, further "=" included.
func parseLabel(typed, text string, not bool) (label, error) {
	key, value, hasValue := strings.Cut(text, "=")
	switch {
	case key == "":
		return label{}, &Error{Option: optionFilter, What: quote(typed) + " has an empty label key", Instead: "type " + example(keyLabel)}
	case strings.TrimSpace(key) != key || strings.TrimSpace(value) != value:
		return label{}, spaced(typed)
	}
	return label{key: key, value: value, hasValue: hasValue, not: not}, nil
}

// String returns the filter as it is typed.
func (l label) String() string {
	s := keyLabel + "="
	if l.not {
		s = keyLabel + "!="
	}
	s += l.key
	if l.hasValue {
		s += "=" + l.value
	}
	return s
}

// objection says why the filter keeps sub; its code is empty if the filter does
// not. One platform decides: with label= one that has the label is enough to
// let the image be removed, with label!= one is enough to keep it. What cannot
// be judged is kept.
func (l label) objection(sub Subject) Verdict {
	v := Verdict{Filter: l.String()}
	value, found := l.find(sub.Labels)
	switch {
	case sub.LabelsErr != "":
		v.Code, v.Problem = labelsUnknown, sub.LabelsErr
	case len(sub.Labels) == 0:
		v.Code, v.Problem = labelsUnknown, "no image config of it can be read"
	case l.not && found:
		v.Code, v.Label = labelExcluded, l.key+"="+value
	case !l.not && !found:
		v.Code = labelMissing
	default:
		return Verdict{}
	}
	return v
}

// find returns the label's value on the first platform that has it.
func (l label) find(platforms []map[string]string) (string, bool) {
	for _, labels := range platforms {
		value, ok := labels[l.key]
		if ok && (!l.hasValue || value == l.value) {
			return value, true
		}
	}
	return "", false
}
