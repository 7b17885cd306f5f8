/*
 * What an API server sends, cut into objects: however the bytes are fed, the same pieces come out, none above the cap.
 */
#include "base/json_split.h"

#include <assert.h>
#include <string.h>

#define PIECE_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void cut(enum json_split_shape shape, const char *s, size_t n, size_t step, struct text *out)
{
	struct json_split split;
	struct json_piece piece;
	struct error error;
	enum json_split_outcome outcome = JSON_SPLIT_MORE;

	json_split_init(&split, shape, PIECE_MAX);
	for (size_t at = 0; at < n && outcome != JSON_SPLIT_BROKEN; at += step) {
		json_split_feed(&split, s + at, at + step > n ? n - at : step);
		while ((outcome = json_split_next(&split, &piece, &error)) != JSON_SPLIT_MORE &&
		       outcome != JSON_SPLIT_BROKEN) {
			assert(piece.n > 0 && piece.n <= PIECE_MAX && piece.s[0] == '{');
			text_add_n(out, piece.s, piece.n);
			text_add_char(out, (char)outcome);
		}
	}
	text_add(out, outcome == JSON_SPLIT_BROKEN ? "broken" : json_split_is_complete(&split) ? "complete" : "open");
	json_split_done(&split);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 2)
		return 0;
	enum json_split_shape shape = data[0] & 1 ? JSON_SPLIT_ITEMS : JSON_SPLIT_VALUES;
	size_t step = 1 + data[1] % 31;
	CLEANUP(text_done) struct text one = {0}, steps = {0};
	cut(shape, (const char *)data + 2, n - 2, 1, &one);
	cut(shape, (const char *)data + 2, n - 2, step, &steps);
	assert(one.n == steps.n && memcmp(one.s, steps.s, one.n) == 0);
	return 0;
}
