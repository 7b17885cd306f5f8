#include "crds/hostname.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#define LABEL_KEY_PREFIX_MAX 253

static bool is_alnum(char c)
{
	return isalnum((unsigned char)c) && (unsigned char)c < 0x80;
}

bool hostname_is_label(const char *s, size_t n)
{
	if (n == 0 || n > HOSTNAME_LABEL_MAX || !is_alnum(s[0]) || !is_alnum(s[n - 1]))
		return false;
	for (size_t i = 1; i + 1 < n; i++)
		if (!is_alnum(s[i]) && s[i] != '-')
			return false;
	return true;
}

bool hostname_is_label_string(const char *s)
{
	return s && hostname_is_label(s, strlen(s));
}

bool hostname_is_wildcard_label(const char *s, size_t n)
{
	if (n > HOSTNAME_LABEL_MAX)
		return false;
	if (n == 0 || s[0] != '*')
		return hostname_is_label(s, n);
	if (n == 1)
		return true;
	size_t skip = s[1] == '-' ? 2 : 1;
	return hostname_is_label(s + skip, n - skip);
}

static bool is_number(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)s[i]))
			return false;
	return n > 0;
}

/* `whole` is what the message names. */
static bool check_labels(const char *whole, const char *s, struct error *error)
{
	const char *last = strrchr(s, '.');
	last = last ? last + 1 : s;
	if (is_number(last, strlen(last)))
		return error_set(error, "\"%s\" is not a host name: its last label must not be all digits", whole);
	for (;;) {
		size_t n = strcspn(s, ".");
		if (s == last && n == 0)
			return true; /* "example.com." */
		if (!hostname_is_label(s, n))
			return error_set(error, "\"%s\" is not a host name: label \"%.*s\" is invalid", whole, (int)n,
			                 s);
		if (s[n] == '\0')
			return true;
		s += n + 1;
	}
}

static bool check_length(const char *s, struct error *error)
{
	if (text_is_empty(s))
		return error_set(error, "a host name must not be empty");
	if (strlen(s) > HOSTNAME_MAX)
		return error_set(error, "a host name has at most %d characters, this one has %zu", HOSTNAME_MAX,
		                 strlen(s));
	return true;
}

bool hostname_check_fqdn(const char *s, struct error *error)
{
	return check_length(s, error) && check_labels(s, s, error);
}

bool hostname_check_wildcard(const char *s, struct error *error)
{
	if (!check_length(s, error))
		return false;
	size_t n = strcspn(s, ".");
	if (!hostname_is_wildcard_label(s, n))
		return error_set(error, "\"%s\" is not a host name: label \"%.*s\" is invalid", s, (int)n, s);
	return s[n] == '\0' || check_labels(s, s + n + 1, error);
}

bool hostname_matches(const char *a, const char *b)
{
	bool is_wild_a = a[0] == '*', is_wild_b = b[0] == '*';
	if (is_wild_a && is_wild_b)
		return strlen(a) < strlen(b) ? text_has_suffix(b + 1, a + 1) : text_has_suffix(a + 1, b + 1);
	if (is_wild_a)
		return text_has_suffix(b, a + 1);
	if (is_wild_b)
		return text_has_suffix(a, b + 1);
	return strcmp(a, b) == 0;
}

bool hostname_is_subset(const char *a, const char *b)
{
	bool is_wild_a = a[0] == '*', is_wild_b = b[0] == '*';
	if (is_wild_a)
		return is_wild_b && strlen(a) >= strlen(b) && text_has_suffix(a + 1, b + 1);
	if (is_wild_b)
		return text_has_suffix(a, b + 1);
	return strcmp(a, b) == 0;
}

bool hostname_is_ip(const char *s)
{
	unsigned char address[sizeof(struct in6_addr)];
	return s && (inet_pton(AF_INET, s, address) == 1 || inet_pton(AF_INET6, s, address) == 1);
}

bool hostname_is_ip_or_cidr(const char *s)
{
	const char *slash = s ? strchr(s, '/') : NULL;
	if (!slash)
		return hostname_is_ip(s);
	char address[INET6_ADDRSTRLEN];
	size_t n = (size_t)(slash - s);
	if (n >= sizeof address)
		return false;
	memcpy(address, s, n);
	address[n] = '\0';
	uint64_t bits = 0;
	bool is_ipv6 = strchr(address, ':') != NULL;
	bool is_padded = slash[1] == '0' && slash[2] != '\0';
	return hostname_is_ip(address) && !is_padded && text_parse_uint(slash + 1, is_ipv6 ? 128 : 32, &bits);
}

bool hostname_check_unix(const char *path, struct error *error)
{
	if (text_is_empty(path))
		return error_set(error, "a Unix socket needs a path");
	if (path[0] == '@')
		return true;
	if (path[0] != '/' || text_has_suffix(path, "/"))
		return error_set(error, "\"%s\" is not an absolute path to a file", path);
	return true;
}

/* ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9], at most 63 characters. */
static bool is_label_name(const char *s, size_t n)
{
	if (n == 0 || n > HOSTNAME_LABEL_MAX || !is_alnum(s[0]) || !is_alnum(s[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(s[i]) && !strchr("-_.", s[i]))
			return false;
	return true;
}

bool hostname_is_label_key(const char *key)
{
	const char *slash = strchr(key, '/');
	if (!slash)
		return is_label_name(key, strlen(key));
	size_t n = (size_t)(slash - key);
	if (n > LABEL_KEY_PREFIX_MAX)
		return false;
	for (const char *s = key; s <= slash;) {
		size_t label = strcspn(s, "./");
		if (!hostname_is_label(s, label))
			return false;
		s += label + 1;
	}
	return is_label_name(slash + 1, strlen(slash + 1));
}

bool hostname_is_label_value(const char *value)
{
	return text_is_empty(value) || is_label_name(value, strlen(value));
}
