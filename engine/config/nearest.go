package config

import "strings"

// nearest is the one of words that somebody who wrote word most likely meant, or empty.
func nearest(word string, words []string) string {
	const tooLong = 40 // nobody mistypes that much, and the work is the product of the lengths
	if word == "" || len(word) > tooLong {
		return ""
	}
	word = strings.ToLower(word)
	best, least := "", 1+(len(word)+1)/3
	for _, w := range words {
		if len(w) > tooLong || max(len(w)-len(word), len(word)-len(w)) >= least {
			continue // too many letters more or fewer
		}
		if d := distance(word, strings.ToLower(w)); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance is how many letters must be put in, left out, replaced or swapped with their
// neighbour to make b of a (optimal string alignment). It counts bytes: the words it is asked
// about are ASCII.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
