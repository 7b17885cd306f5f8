#include "ca/spiffe_id.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SCHEME "spiffe://"

struct part {
	const char *s;
	size_t n;
};

/* The message never holds foreign bytes as they are: logs, metrics and terminals read it. */
static bool bad_character(const char *what, const char *s, size_t at, struct error *error)
{
	unsigned char c = (unsigned char)s[at];
	if (c > ' ' && c < 0x7f)
		return error_set(error, "%s: character '%c' at position %zu is not allowed", what, c, at + 1);
	return error_set(error, "%s: byte 0x%02x at position %zu is not allowed", what, c, at + 1);
}

static bool check_length(const char *what, size_t n, size_t max, struct error *error)
{
	if (n == 0)
		return error_set(error, "%s is empty", what);
	if (n > max)
		return error_set(error, "%s has %zu characters, at most %zu are allowed", what, n, max);
	return true;
}

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool spiffe_trust_domain_check(const char *s, size_t n, struct error *error)
{
	const char *what = "the trust domain";
	if (!check_length(what, n, SPIFFE_TRUST_DOMAIN_MAX, error))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_lower_alnum(s[i]) && s[i] != '.' && s[i] != '-' && s[i] != '_')
			return bad_character(what, s, i, error);
	return true;
}

/* [a-z0-9]([-a-z0-9]*[a-z0-9])?, several of them joined by dots when has_dots (Kubernetes' DNS-1123 label and
 * subdomain). */
static bool check_dns_name(const char *what, const char *s, size_t n, bool has_dots, struct error *error)
{
	for (size_t i = 0; i < n; i++) {
		bool is_dot = has_dots && s[i] == '.';
		if (!is_lower_alnum(s[i]) && s[i] != '-' && !is_dot)
			return bad_character(what, s, i, error);
		bool is_first = i == 0 || s[i - 1] == '.', is_last = i + 1 == n || s[i + 1] == '.';
		if (!is_lower_alnum(s[i]) && (is_first || is_last))
			return error_set(error, "%s must begin and end with a letter or digit, its labels too", what);
	}
	return true;
}

static bool fill(struct part domain, struct part ns, struct part account, struct spiffe_id *id, struct error *error)
{
	if (!spiffe_trust_domain_check(domain.s, domain.n, error) ||
	    !check_length("the namespace", ns.n, SPIFFE_NAMESPACE_MAX, error) ||
	    !check_dns_name("the namespace", ns.s, ns.n, false, error) ||
	    !check_length("the service account", account.n, SPIFFE_ACCOUNT_MAX, error) ||
	    !check_dns_name("the service account", account.s, account.n, true, error))
		return false;
	*id = (struct spiffe_id){0};
	memcpy(id->trust_domain, domain.s, domain.n);
	memcpy(id->ns, ns.s, ns.n);
	memcpy(id->account, account.s, account.n);
	return true;
}

/* What comes before the next slash, which is used up; the last part ends with the text. */
static struct part next_part(struct part *rest)
{
	const char *slash = memchr(rest->s, '/', rest->n);
	struct part part = {rest->s, slash ? (size_t)(slash - rest->s) : rest->n};
	size_t used = part.n + (slash ? 1 : 0);
	rest->s += used;
	rest->n -= used;
	return part;
}

static bool part_is(struct part part, const char *s)
{
	return part.n == strlen(s) && memcmp(part.s, s, part.n) == 0;
}

static bool parse(const char *s, size_t n, struct spiffe_id *id, struct error *error)
{
	if (n > SPIFFE_ID_MAX)
		return error_set(error, "it has %zu bytes, at most %d are allowed", n, SPIFFE_ID_MAX);
	if (n < strlen(SCHEME) || memcmp(s, SCHEME, strlen(SCHEME)) != 0)
		return error_set(error, "it does not begin with " SCHEME);
	struct part rest = {s + strlen(SCHEME), n - strlen(SCHEME)};
	size_t slashes = 0;
	for (size_t i = 0; i < rest.n; i++)
		slashes += rest.s[i] == '/';
	struct part domain = next_part(&rest), ns_key = next_part(&rest), ns = next_part(&rest);
	struct part account_key = next_part(&rest), account = next_part(&rest);
	if (slashes != 4 || !part_is(ns_key, "ns") || !part_is(account_key, "sa"))
		return error_set(error, "it is not of the form " SCHEME "TRUST-DOMAIN/ns/NAMESPACE/sa/SERVICE-ACCOUNT");
	return fill(domain, ns, account, id, error);
}

bool spiffe_id_parse(const char *s, size_t n, struct spiffe_id *id, struct error *error)
{
	return parse(s, n, id, error) || error_wrap(error, "not a SPIFFE ID of a workload");
}

bool spiffe_id_make(const char *trust_domain, const char *ns, const char *account, struct spiffe_id *id,
                    struct error *error)
{
	return fill((struct part){trust_domain, strlen(trust_domain)}, (struct part){ns, strlen(ns)},
	            (struct part){account, strlen(account)}, id, error);
}

void spiffe_id_print(const struct spiffe_id *id, char text[SPIFFE_ID_TEXT])
{
	int n = snprintf(text, SPIFFE_ID_TEXT, SCHEME "%s/ns/%s/sa/%s", id->trust_domain, id->ns, id->account);
	assert(n > 0 && (size_t)n < SPIFFE_ID_TEXT);
}

bool spiffe_id_equal(const struct spiffe_id *a, const struct spiffe_id *b)
{
	return strcmp(a->trust_domain, b->trust_domain) == 0 && strcmp(a->ns, b->ns) == 0 &&
	       strcmp(a->account, b->account) == 0;
}
