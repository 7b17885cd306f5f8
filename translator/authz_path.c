#include "translator/authz_path.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* The byte that %XY stands for, or -1. */
static int escaped(const char *s)
{
	if (s[0] != '%' || digit(s[1]) < 0 || digit(s[2]) < 0)
		return -1;
	return digit(s[1]) * 16 + digit(s[2]);
}

static bool is_unreserved(int c)
{
	return isalnum(c) || (c && strchr("-._~", c));
}

/* As it stands, the character may be in no path (RFC 3986): normalization escapes it. */
static bool is_escaped(int c)
{
	return c <= ' ' || c >= 0x7f || strchr("\"<>^`{|}", c);
}

static void decode(struct text *out, const char *s, size_t n, const struct authz_path_rules *rules)
{
	for (size_t i = 0; i < n; i++) {
		int c = i + 2 < n ? escaped(s + i) : -1;
		bool is_slash = rules->is_slash_decoded && (c == '/' || c == '\\');
		if (is_slash || (rules->is_normalized && c >= 0 && is_unreserved(c)))
			i += 2;
		else
			c = (unsigned char)s[i];
		if (rules->is_normalized && is_escaped(c))
			text_printf(out, "%%%02X", (unsigned)c);
		else
			text_add_char(out, rules->is_normalized && c == '\\' ? '/' : (char)c);
	}
}

/* RFC 3986, 5.2.4. */
static void remove_dots(struct text *out, const char *s)
{
	while (*s) {
		size_t n = 1 + strcspn(s + 1, "/");
		bool is_last = s[n] == '\0';
		if (n == 2 && s[1] == '.') {
			text_add(out, is_last ? "/" : "");
		} else if (n == 3 && s[1] == '.' && s[2] == '.') {
			while (out->n && out->s[--out->n] != '/')
				;
			text_add(out, is_last ? "/" : "");
		} else {
			text_add_n(out, s, n);
		}
		s += n;
	}
}

static void merge(struct text *out, const char *s)
{
	for (; *s; s++)
		if (*s != '/' || !out->n || out->s[out->n - 1] != '/')
			text_add_char(out, *s);
}

const char *authz_path(struct arena *arena, const char *target, const struct authz_path_rules *rules)
{
	CLEANUP(text_done) struct text decoded = {0};
	CLEANUP(text_done) struct text plain = {0};
	CLEANUP(text_done) struct text merged = {0};
	decode(&decoded, target, strcspn(target, "?#"), rules);
	if (rules->is_normalized)
		remove_dots(&plain, text_get(&decoded));
	else
		text_add(&plain, text_get(&decoded));
	if (!rules->is_merge_slashes)
		return arena_strndup(arena, text_get(&plain), plain.n);
	merge(&merged, arena_strndup(arena, text_get(&plain), plain.n));
	return arena_strdup(arena, text_get(&merged));
}
