#include "token/base64url.h"

#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

unsigned char *base64url_decode(struct arena *arena, const char *s, size_t n, size_t *out_n)
{
	unsigned char *out = arena_alloc(arena, n / 4 * 3 + 3);
	size_t at = 0;
	uint32_t bits = 0;
	unsigned n_bits = 0;

	if (n % 4 == 1)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		int value = value_of(s[i]);
		if (value < 0)
			return NULL;
		bits = bits << 6 | (uint32_t)value;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			out[at++] = (unsigned char)(bits >> n_bits);
			bits &= (1u << n_bits) - 1;
		}
	}
	*out_n = at;
	return bits ? NULL : out; /* what is left over must be zeros: else there were other spellings */
}

void base64url_print(const void *data, size_t n, struct text *out)
{
	const unsigned char *bytes = data;
	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i < 3 ? n - i : 3;
		uint32_t bits = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
		                (left > 2 ? bytes[i + 2] : 0);
		for (size_t digit = 0; digit <= left; digit++)
			text_add_char(out, digits[bits >> (18 - 6 * digit) & 63]);
	}
}
