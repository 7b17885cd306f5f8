#include "base/json_split.h"

#include <string.h>

#define ITEMS_KEY "\"items\""

void json_split_init(struct json_split *split, enum json_split_shape shape, size_t max)
{
	*split = (struct json_split){.shape = shape, .max = max};
}

void json_split_done(struct json_split *split)
{
	text_done(&split->piece);
	text_done(&split->rest);
	text_done(&split->key);
}

void json_split_feed(struct json_split *split, const char *s, size_t n)
{
	split->s = s;
	split->n = n;
	split->at = 0;
}

bool json_split_is_complete(const struct json_split *split)
{
	if (split->is_broken)
		return false;
	return split->shape == JSON_SPLIT_ITEMS ? split->is_done : split->depth == 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* One byte of a value or of the rest, as far as strings and depth go. */
static void track(struct json_split *split, char c)
{
	if (split->is_in_string) {
		if (split->is_escaped)
			split->is_escaped = false;
		else if (c == '\\')
			split->is_escaped = true;
		else if (c == '"')
			split->is_in_string = false;
	} else if (c == '"') {
		split->is_in_string = true;
	} else if (c == '{' || c == '[') {
		split->depth++;
	} else if ((c == '}' || c == ']') && split->depth > 0) {
		split->depth--;
	}
}

static enum json_split_outcome broken(struct json_split *split, struct error *error, const char *what)
{
	split->is_broken = true;
	error_set(error, "%s", what);
	return JSON_SPLIT_BROKEN;
}

static enum json_split_outcome too_long(struct json_split *split, struct error *error)
{
	split->is_broken = true;
	error_set(error, "a value has more than %zu bytes", split->max);
	return JSON_SPLIT_BROKEN;
}

static enum json_split_outcome give(const struct text *text, enum json_split_outcome outcome, struct json_piece *piece)
{
	*piece = (struct json_piece){.s = text_get(text), .n = text->n};
	return outcome;
}

/* Goes on with an object that stands `floor` deep. MORE until its end has been seen. */
static enum json_split_outcome read_piece(struct json_split *split, unsigned floor, struct json_piece *piece,
                                          struct error *error)
{
	size_t from = split->at;
	if (!split->is_in_piece)
		split->piece.n = 0;
	split->is_in_piece = true;
	while (split->is_in_piece && split->at < split->n) {
		track(split, split->s[split->at++]);
		split->is_in_piece = split->depth > floor;
	}
	text_add_n(&split->piece, split->s + from, split->at - from);
	if (split->piece.n > split->max)
		return too_long(split, error);
	return split->is_in_piece ? JSON_SPLIT_MORE : give(&split->piece, JSON_SPLIT_VALUE, piece);
}

/* Objects one after the other. */
static enum json_split_outcome next_value(struct json_split *split, struct json_piece *piece, struct error *error)
{
	for (; split->at < split->n; split->at++) {
		char c = split->s[split->at];
		if (split->is_in_piece || c == '{')
			return read_piece(split, 0, piece, error);
		if (!is_space(c))
			return broken(split, error, "an object was expected");
	}
	return JSON_SPLIT_MORE;
}

/* Of the object's own members only this matters: is the value that begins now that of "items"? */
static void track_key(struct json_split *split, char c, bool was_in_string)
{
	if (split->depth != 1)
		return;
	if (was_in_string || split->is_in_string) {
		if (!was_in_string)
			split->key.n = 0;
		if (split->key.n <= strlen(ITEMS_KEY))
			text_add_char(&split->key, c);
		split->is_key_pending = was_in_string && !split->is_in_string;
		split->is_after_key = false;
	} else if (c == ':') {
		split->is_after_key = split->is_key_pending && split->key.n == strlen(ITEMS_KEY) &&
		                      memcmp(split->key.s, ITEMS_KEY, split->key.n) == 0;
		split->is_key_pending = false;
	} else if (!is_space(c)) {
		split->is_key_pending = split->is_after_key = false;
	}
}

/* One byte of the object outside its items. */
static void add_rest(struct json_split *split, char c)
{
	bool was_in_string = split->is_in_string;
	text_add_char(&split->rest, c);
	split->is_in_items = c == '[' && split->depth == 1 && split->is_after_key && !was_in_string;
	track(split, c);
	track_key(split, c, was_in_string);
	split->is_done = split->depth == 0;
}

/* Inside the items. The array is read leniently: where commas stand is the sender's business. */
static enum json_split_outcome next_element(struct json_split *split, struct json_piece *piece, struct error *error)
{
	for (; split->at < split->n; split->at++) {
		char c = split->s[split->at];
		if (split->is_in_piece || c == '{')
			return read_piece(split, 2, piece, error);
		if (c == ']') {
			split->is_in_items = false;
			return JSON_SPLIT_MORE;
		}
		if (c != ',' && !is_space(c))
			return broken(split, error, "\"items\" holds something that is no object");
	}
	return JSON_SPLIT_MORE;
}

static enum json_split_outcome next_item(struct json_split *split, struct json_piece *piece, struct error *error)
{
	while (split->at < split->n) {
		if (split->is_in_items) {
			enum json_split_outcome outcome = next_element(split, piece, error);
			if (outcome != JSON_SPLIT_MORE)
				return outcome;
			continue;
		}
		char c = split->s[split->at++];
		bool is_inside = split->depth > 0;
		if (!is_inside && is_space(c))
			continue;
		if (split->is_done)
			return broken(split, error, "something follows the object");
		if (!is_inside && c != '{')
			return broken(split, error, "an object was expected");
		if (split->rest.n >= split->max)
			return too_long(split, error);
		add_rest(split, c);
		if (split->is_done)
			return give(&split->rest, JSON_SPLIT_REST, piece);
	}
	return JSON_SPLIT_MORE;
}

enum json_split_outcome json_split_next(struct json_split *split, struct json_piece *piece, struct error *error)
{
	if (split->is_broken)
		return broken(split, error, "the text before was broken");
	return split->shape == JSON_SPLIT_ITEMS ? next_item(split, piece, error) : next_value(split, piece, error);
}
