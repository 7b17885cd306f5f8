#pragma once
/*
 * A stream of JSON cut into the values that matter, as its bytes come, so that a text of any length is read in the
 * memory of its largest value. It only cuts: whether a piece is JSON is for json_parse to say.
 *
 *     JSON_SPLIT_VALUES   objects one after the other, with white space between (RFC 7464 without separators, as a
 *                         Kubernetes watch is): each is a VALUE
 *     JSON_SPLIT_ITEMS    one object with a member "items": each element of that array is a VALUE, and at last the
 * object with the array empty is the REST
 *
 *     json_split_feed(&split, s, n);                        borrowed until MORE or BROKEN is said
 *     while (json_split_next(&split, &piece, &error) …)
 *
 * A piece is valid until the next call. Once BROKEN (no object, or a piece above the cap), it stays so.
 */
#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum json_split_shape { JSON_SPLIT_VALUES, JSON_SPLIT_ITEMS };

enum json_split_outcome {
	JSON_SPLIT_MORE,   /* all bytes are used up: feed some more */
	JSON_SPLIT_VALUE,  /* a value */
	JSON_SPLIT_REST,   /* JSON_SPLIT_ITEMS: the object without its items; only white space may follow */
	JSON_SPLIT_BROKEN, /* error says why */
};

struct json_piece {
	const char *s;
	size_t n;
};

struct json_split {
	size_t max; /* bytes of a piece */
	enum json_split_shape shape;
	/* private */
	const char *s; /* what is fed, and how much of it is used up */
	size_t n, at;
	struct text piece; /* the value that is being read */
	struct text rest;  /* JSON_SPLIT_ITEMS: everything else */
	struct text key;   /* the last string at depth 1, as it is written */
	unsigned depth;    /* of containers that are open */
	bool is_in_string, is_escaped;
	bool is_after_key;   /* at depth 1, behind "items": */
	bool is_key_pending; /* at depth 1, behind a string that may be a key */
	bool is_in_items, is_in_piece, is_done, is_broken;
};

/* max: the most bytes of a value, and of the rest. */
void json_split_init(struct json_split *split, enum json_split_shape shape, size_t max);
void json_split_done(struct json_split *split);
void json_split_feed(struct json_split *split, const char *s, size_t n);
enum json_split_outcome json_split_next(struct json_split *split, struct json_piece *piece, struct error *error);
/* Whether the text could end here: a whole number of values, or the object's end. */
bool json_split_is_complete(const struct json_split *split);
