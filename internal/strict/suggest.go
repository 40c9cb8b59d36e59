package strict

import "strings"

// Suggest returns the word among those given that a misspelt word most likely meant, or "" when none is close.
func Suggest(word string, among []string) string {
	plain := fold(word)
	best, bestAt := "", len([]rune(plain))/3+1
	if len(plain) < 3 {
		bestAt = 1
	}
	for _, c := range among {
		f := fold(c)
		if f == plain {
			return c
		}
		if d := distance(plain, f); d < bestAt || d == bestAt && best == "" && d < len(f) {
			best, bestAt = c, d
		}
	}
	if best != "" || len(plain) < 3 {
		return best
	}
	for _, c := range among {
		if f := fold(c); strings.HasPrefix(f, plain) || strings.HasPrefix(plain, f) && len(f) > 3 {
			return c
		}
	}
	return ""
}

// fold makes RateLimit, rate-limit and rate_limit the same word.
func fold(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}

// distance counts the letters to insert, delete, change or swap with their neighbour to get from a to b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	var before, last []int
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		before, last, row = last, row, make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(y)]
}
