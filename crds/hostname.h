#pragma once
/*
 * Names and addresses as Istio's APIs take them: DNS labels, host names, wildcards, IP addresses, CIDR blocks, Unix
 * sockets. Syntax only; pure functions over strings. Where a function takes an error, it says what is wrong with the
 * value.
 *
 * Labels follow DNS-1123 but may hold capitals, because Istio lets them.
 */
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define HOSTNAME_MAX 255
#define HOSTNAME_LABEL_MAX 63

/* [a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?, at most 63 characters. */
bool hostname_is_label(const char *s, size_t n);
bool hostname_is_label_string(const char *s); /* NULL is not one */
/* As above, or "*", or "*" or "*-" before a label. */
bool hostname_is_wildcard_label(const char *s, size_t n);
/* Labels joined by dots, the last not all digits; a dot may end it. */
bool hostname_check_fqdn(const char *s, struct error *error);
/* The same, but the first label may be a wildcard label. */
bool hostname_check_wildcard(const char *s, struct error *error);

/* Whether some name could belong to both: "*.foo.com" and "a.foo.com", or "*.com" and "*.foo.com". */
bool hostname_matches(const char *a, const char *b);
/* Whether each name of `a` is one of `b`. */
bool hostname_is_subset(const char *a, const char *b);

bool hostname_is_ip(const char *s);         /* IPv4 or IPv6, no zone */
bool hostname_is_ip_or_cidr(const char *s); /* "10.0.0.1", "10.0.0.0/8", "2001:db8::/32" */
/* What follows "unix://": an absolute path to a file, or "@name" in the abstract namespace. */
bool hostname_check_unix(const char *path, struct error *error);

/* Kubernetes' label syntax: a key is [dns-prefix/]name, a value is empty or a name; names have at most 63 characters.
 */
bool hostname_is_label_key(const char *key);
bool hostname_is_label_value(const char *value);
