#include "cli/suggest.h"

#include <string.h>

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, changes, and swaps of neighbours. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned rows[3][SUGGEST_BYTES_MAX + 1]; /* the row being filled and the two before it, in turns */
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = least(least(row[j - 1], above[j]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], above2[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

const char *suggest(const char *word, const char *const *words)
{
	const char *nearest = NULL;
	size_t n = strlen(word);
	unsigned best = n < 3 ? 1 : n < 6 ? 2 : 3;
	if (n > SUGGEST_BYTES_MAX)
		return NULL;
	for (; *words; words++) {
		size_t m = strlen(*words);
		unsigned away = m > SUGGEST_BYTES_MAX ? best + 1 : distance(word, n, *words, m);
		if (away > best || (nearest && away == best) || away >= m)
			continue;
		best = away;
		nearest = *words;
	}
	return nearest;
}
