/* Values that many kinds have. */
#include "base/regex.h"
#include "base/text.h"
#include "crds/check.h"
#include "crds/hostname.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define PORT_MAX 65535
#define NANOS_PER_MS 1000000

void check_port(struct check *check, const char *field, uint32_t port)
{
	if (port < 1 || port > PORT_MAX)
		check_error(check, field, "port number %u must be in the range 1..%d", port, PORT_MAX);
}

void check_not_negative(struct check *check, const char *field, int64_t value)
{
	if (value < 0)
		check_error(check, field, "must not be negative, is %lld", (long long)value);
}

void check_percent(struct check *check, const char *field, double value)
{
	if (!(value >= 0 && value <= 100))
		check_error(check, field, "percentage %g is not in the range 0..100", value);
}

void check_duration(struct check *check, const char *field, const google_duration *value)
{
	if (!value)
		return;
	if (value->seconds < 0 || value->nanos < 0 || (value->seconds == 0 && value->nanos < NANOS_PER_MS))
		check_error(check, field, "a duration must be at least 1ms");
	else if (value->nanos % NANOS_PER_MS != 0)
		check_error(check, field, "a duration must be a whole number of milliseconds");
}

void check_fqdn(struct check *check, const char *field, const char *value)
{
	struct error error;
	if (!hostname_check_fqdn(value, &error))
		check_error(check, field, "%s", error.message);
}

void check_wildcard_host(struct check *check, const char *field, const char *value)
{
	struct error error;
	if (!hostname_check_wildcard(value, &error))
		check_error(check, field, "%s", error.message);
}

void check_port_name(struct check *check, const char *field, const char *value)
{
	if (text_is_empty(value))
		check_error(check, field, "a port needs a name");
	else if (!hostname_is_label_string(value))
		check_error(check, field,
		            "port name \"%s\" is invalid: letters, digits and \"-\" inside, at most %d characters",
		            value, HOSTNAME_LABEL_MAX);
}

void check_subset_name(struct check *check, const char *field, const char *value)
{
	if (text_is_empty(value))
		check_error(check, field, "a subset needs a name");
	else if (!hostname_is_label_string(value))
		check_error(check, field,
		            "subset name \"%s\" is invalid: letters, digits and \"-\" inside, at most %d characters",
		            value, HOSTNAME_LABEL_MAX);
}

void check_label(struct check *check, const char *field, const char *key, const char *value)
{
	if (!hostname_is_label_key(key))
		check_error(check, field, "\"%s\" is not a label's key", key);
	if (!hostname_is_label_value(value))
		check_error(check, field, "label %s: \"%s\" is not a label's value", key, value);
}

bool check_can_select(const char *key, const char *value)
{
	return !text_is_empty(key) && !strchr(key, '*') && !strchr(value, '*');
}

void check_selector_label(struct check *check, const char *field, const char *key, const char *value)
{
	if (text_is_empty(key))
		check_error(check, field, "an empty key cannot select anything: \"=%s\"", value);
	if (strchr(key, '*') || strchr(value, '*'))
		check_error(check, field, "wildcards are not supported in selectors: \"%s=%s\"", key, value);
}

void check_ip(struct check *check, const char *field, const char *value)
{
	if (!hostname_is_ip(value))
		check_error(check, field, "\"%s\" is not an IP address", value);
}

void check_ip_or_cidr(struct check *check, const char *field, const char *value)
{
	if (!hostname_is_ip_or_cidr(value))
		check_error(check, field, "\"%s\" is neither an IP address nor a CIDR block", value);
}

void check_unix_address(struct check *check, const char *field, const char *value)
{
	struct error error;
	if (!hostname_check_unix(value, &error))
		check_error(check, field, "%s", error.message);
}

void check_regex(struct check *check, const char *field, const char *pattern)
{
	struct error error;
	if (text_is_empty(pattern))
		check_error(check, field, "a regular expression must not be empty");
	else if (strlen(pattern) > CHECK_REGEX_MAX)
		check_error(check, field, "a regular expression has at most %d characters, this one has %zu",
		            CHECK_REGEX_MAX, strlen(pattern));
	else if (!regex_check(pattern, &error))
		check_error(check, field, "not a regular expression in RE2's syntax: %s", error.message);
}

bool check_is_header_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			return false;
	return *name != '\0';
}

/* RFC 3986, 2.1: "%" and two hexadecimal digits; nothing but printable ASCII and what UTF-8 needs. */
static bool has_sound_characters(const char *url)
{
	for (const char *c = url; *c; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return false;
		if (*c == '%' && (!isxdigit((unsigned char)c[1]) || !isxdigit((unsigned char)c[2])))
			return false;
	}
	return true;
}

/* "host", "host:443", "[2001:db8::1]:443", after "user@". What is wrong, or NULL. */
static const char *authority_mistake(const char *authority)
{
	const char *at = strrchr(authority, '@');
	const char *host = at ? at + 1 : authority;
	const char *port = host[0] == '[' ? strchr(host, ']') : host + strcspn(host, ":");
	if (!port)
		return "has a \"[\" without a \"]\"";
	if (port == host || (host[0] == '[' && port == host + 1))
		return "has no host";
	port += *port == ']';
	uint64_t number = 0;
	if (*port == '\0')
		return NULL;
	return *port == ':' && text_parse_uint(port + 1, PORT_MAX, &number) && number > 0
	           ? NULL
	           : "has a port that is not a number from 1 to 65535";
}

void check_http_url(struct check *check, const char *field, const char *url)
{
	static const char *const schemes[] = {"http://", "https://"};
	if (strlen(url) > CHECK_URL_MAX) {
		check_error(check, field, "a URL has at most %d characters, this one has %zu", CHECK_URL_MAX,
		            strlen(url));
		return;
	}
	size_t skip = 0;
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
		if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
			skip = strlen(schemes[i]);
	if (skip == 0) {
		check_error(check, field, "\"%s\" must begin with http:// or https://", url);
		return;
	}
	size_t n = strcspn(url + skip, "/?#");
	const char *mistake = authority_mistake(arena_strndup(check->arena, url + skip, n));
	if (mistake)
		check_error(check, field, "\"%s\" %s", url, mistake);
	else if (!has_sound_characters(url))
		check_error(check, field, "\"%s\" has characters that a URL cannot have: write them as %%20 and so on",
		            url);
}

void check_no_empty(struct check *check, const char *field, char *const *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		check_enter_at(check, field, i);
		if (text_is_empty(values[i]))
			check_error(check, NULL, "must not be empty");
		check_leave(check);
	}
}

static bool is_listed(char *const *values, size_t n, const char *value)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(values[i], value) == 0)
			return true;
	return false;
}

static void check_export_value(struct check *check, const struct check_export_to *export_to, size_t i)
{
	const char *value = export_to->values[i];
	const char *namespace = check->object->namespace;
	if (is_listed(export_to->values, i, value))
		check_error(check, NULL, "\"%s\" is listed twice", value);
	else if (strcmp(value, ".") == 0 && is_listed(export_to->values, export_to->n, namespace))
		check_error(check, NULL, "\".\" and \"%s\" are the same namespace", namespace);
	if (strcmp(value, "~") == 0 && !export_to->may_be_none)
		check_error(check, NULL, "\"~\" (nobody) is not possible here");
	else if (strcmp(value, ".") != 0 && strcmp(value, "*") != 0 && strcmp(value, "~") != 0 &&
	         !hostname_is_label_string(value))
		check_error(check, NULL, "\"%s\" is neither \".\" nor \"*\" nor a namespace", value);
	if (export_to->is_local_only && strcmp(value, ".") != 0 && strcmp(value, namespace) != 0)
		check_error(check, NULL, "with a workloadSelector a DestinationRule stays in its own namespace");
}

void check_export_to(struct check *check, const struct check_export_to *export_to)
{
	size_t n = export_to->n;
	if (n > CHECK_RECORDS_MAX) {
		check_error(check, "exportTo", "lists %zu namespaces, at most %d are possible", n, CHECK_RECORDS_MAX);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		check_enter_at(check, "exportTo", i);
		check_export_value(check, export_to, i);
		check_leave(check);
	}
	if (n > 1 && is_listed(export_to->values, n, "*"))
		check_error(check, "exportTo", "\"*\" (everybody) must stand alone");
	if (n > 1 && is_listed(export_to->values, n, "~"))
		check_error(check, "exportTo", "\"~\" (nobody) must stand alone");
}

static const struct check_protocol protocols[] = {
    {.name = "HTTP", .is_http = true},
    {.name = "HTTP2", .is_http = true},
    {.name = "GRPC", .is_http = true},
    {.name = "GRPC-WEB", .is_http = true},
    {.name = "HTTP_PROXY", .is_http = true},
    {.name = "HBONE", .is_http = true},
    {.name = "DOUBLE-HBONE"},
    {.name = "HTTPS", .is_tls = true, .is_tcp = true},
    {.name = "TLS", .is_tls = true, .is_tcp = true},
    {.name = "TCP", .is_tcp = true},
    {.name = "MONGO", .is_tcp = true},
    {.name = "REDIS", .is_tcp = true},
    {.name = "MYSQL", .is_tcp = true},
    {.name = "UDP"},
};

const struct check_protocol *check_protocol_find(const char *name)
{
	for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
		if (strcasecmp(protocols[i].name, name) == 0)
			return &protocols[i];
	return NULL;
}
