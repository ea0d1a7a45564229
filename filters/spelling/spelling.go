// Package spelling finds the words that were meant by one that does not exist: a
// flag, a command, a key, a field. It imports nothing, so that the filters and the
// policy file suggest in the same way as the command line.
package spelling

import (
	"slices"
	"strings"
)

const (
	// mostEdits is how far a word may be from what was typed.
	mostEdits = 2
	// leastLetters is how many letters make an abbreviation.
	leastLetters = 2
	// mostWords is how many words help; of more than that any could be meant.
	mostWords = 3
)

// Hint is a question that names the words that were probably meant, each after the
// prefix, and ends in a space; "" if there are none.
func Hint(typed, prefix string, words []string) string {
	near := Nearest(typed, words)
	if len(near) == 0 {
		return ""
	}
	return "did you mean " + prefix + strings.Join(near, " or "+prefix) + "? "
}

// Nearest returns the words that differ from typed by a letter, or else those that it
// abbreviates, or else those that differ by two letters. Capitals, hyphens and the like
// do not count.
func Nearest(typed string, words []string) []string {
	plain := letters(typed)
	if len(plain) < leastLetters {
		return nil
	}
	if near := misspelt(plain, words, 1); len(near) > 0 {
		return near
	}
	longer := few(slices.DeleteFunc(slices.Clone(words), func(word string) bool {
		return !strings.HasPrefix(string(letters(word)), string(plain))
	}))
	if len(longer) > 0 {
		return longer
	}
	return misspelt(plain, words, min(mostEdits, (len(plain)-1)/2)) // what is half wrong resembles anything
}

func few(words []string) []string {
	if len(words) > mostWords {
		return nil
	}
	return words
}

// misspelt returns the words to which the fewest edits lead, at most so many.
func misspelt(plain []rune, words []string, least int) (near []string) {
	for _, word := range words {
		switch edits := distance(plain, letters(word)); {
		case edits < least:
			least, near = edits, []string{word}
		case edits == least:
			near = append(near, word)
		}
	}
	return few(near)
}

// letters are what of a word people remember.
func letters(word string) []rune {
	return []rune(strings.NewReplacer("-", "", "_", "", " ", "", ".", "").Replace(strings.ToLower(word)))
}

// distance is how many letters have to be inserted, deleted, exchanged or swapped with
// the next to make b of a. Words whose lengths differ too much are not compared,
// because what was typed may be long.
func distance(a, b []rune) int {
	if d := len(a) - len(b); d > mostEdits || -d > mostEdits {
		return mostEdits + 1
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range b {
			row[j+1] = min(last[j]+differ(a[i], b[j]), last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

func differ(a, b rune) int {
	if a == b {
		return 0
	}
	return 1
}
