package filters

import (
	"slices"
	"strings"
	"time"
)

// image is one filter that names images of the store: id=, before= or since=.
// What it names is known only after [Set.Resolve]; until then it keeps
// everything.
type image struct {
	key, typed string
	// names are those of the named images, for id=.
	names []string
	// at is the time of the named image, for before= and since=.
	at time.Time
}

// parseImage parses the part of a filter after id=, before= or since=.
func parseImage(typed, key, text string) (image, error) {
	i := image{key: key, typed: text}
	for _, one := range i.texts() {
		if strings.TrimSpace(one) != one || one == "" {
			return image{}, &Error{
				Option: optionFilter, What: quote(typed) + " names an image that is empty or has white space around it",
				Instead: "type " + example(key),
			}
		}
	}
	return i, nil
}

// String returns the filter as it is typed.
func (i image) String() string { return i.key + "=" + i.typed }

// texts are the images that are named: of several in id= one has to match. A
// backslash is before a comma, or a backslash, that is part of a name.
func (i image) texts() []string {
	if i.key != keyID {
		return []string{i.typed}
	}
	var all []string
	var one strings.Builder
	for at := 0; at < len(i.typed); at++ {
		switch c := i.typed[at]; {
		case c == '\\' && at+1 < len(i.typed):
			at++
			one.WriteByte(i.typed[at])
		case c == ',':
			all = append(all, one.String())
			one.Reset()
		default:
			one.WriteByte(c)
		}
	}
	return append(all, one.String())
}

// resolved is the filter with what find says of the images that it names.
func (i image) resolved(find func(string) ([]Subject, error)) (image, error) {
	i.names, i.at = nil, time.Time{}
	for _, text := range i.texts() {
		found, err := find(text)
		if err != nil {
			return image{}, err
		}
		for n, sub := range found {
			i.names = append(i.names, sub.Names...)
			if n == 0 || i.earlier(sub.Born) {
				i.at = sub.Born
			}
		}
	}
	return i, nil
}

// earlier says whether a time leaves less to be removed than the one so far, if
// the named image is there more than once. An unknown time leaves nothing.
func (i image) earlier(born time.Time) bool {
	switch {
	case born.IsZero() || i.at.IsZero():
		return born.IsZero()
	case i.key == keySince:
		return born.After(i.at)
	}
	return born.Before(i.at)
}

// objection says why the filter keeps sub; its code is empty if the filter does
// not.
func (i image) objection(sub Subject, now time.Time) Verdict {
	if i.key == keyID {
		return i.unnamed(sub.Names)
	}
	v := Verdict{Filter: i.String(), Born: sub.Born, now: now}
	switch {
	case sub.Born.IsZero() || i.at.IsZero():
		v.Code = ageUnknown
	case i.key == keyBefore && !sub.Born.Before(i.at):
		v.Code = notBefore
	case i.key == keySince && !sub.Born.After(i.at):
		v.Code = notSince
	default:
		return Verdict{}
	}
	return v
}

// unnamed objects to images that were not named, and as [pattern] does to those
// that have another name beside.
func (i image) unnamed(names []string) Verdict {
	if !slices.ContainsFunc(names, i.has) {
		return Verdict{Code: nameNotMatched, Filter: i.String()}
	}
	other := slices.IndexFunc(names, func(name string) bool { return typed(name) && !i.has(name) })
	if other >= 0 {
		return Verdict{Code: nameBeside, Filter: i.String(), Name: names[other]}
	}
	return Verdict{}
}

func (i image) has(name string) bool { return slices.Contains(i.names, name) }

// Resolve finds the images that filters name by id=, before= and since=, and
// returns the set that judges by them. find returns what a name or an ID means,
// and its time; with Names only where these may be removed by that. Errors are
// those of find.
func (s Set) Resolve(find func(image string) ([]Subject, error)) (Set, error) {
	images := make([]image, len(s.images))
	for n, i := range s.images {
		var err error
		if images[n], err = i.resolved(find); err != nil {
			return Set{}, err
		}
	}
	s.images = images
	return s, nil
}
