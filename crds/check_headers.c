/* Changes to the headers of requests and responses. */
#include "base/text.h"
#include "crds/check.h"
#include "crds/command_operator.h"

#include <string.h>
#include <strings.h>

static bool is_authority(const char *name)
{
	return strcasecmp(name, ":authority") == 0 || strcasecmp(name, "host") == 0;
}

/* Whether a name may be set or added; the authority of a request may. */
static void check_set_name(struct check *check, const char *name, bool may_be_authority)
{
	if (*name == '\0')
		check_error(check, NULL, "a header needs a name");
	else if (may_be_authority && is_authority(name))
		return;
	else if (name[0] == ':' || strcasecmp(name, "host") == 0)
		check_error(check, NULL, "header \"%s\" cannot be changed here", name);
	else if (strpbrk(name, " \t\r\n"))
		check_error(check, NULL, "\"%s\" is not a header's name", name);
}

/* %NAME%, %NAME(...)%; a percent sign itself is %%. As Envoy reads the values of headers. */
static const char *skip_variable(const char *c)
{
	size_t n = strcspn(c, "(%");
	if (c[n] == '%')
		return c + n + 1;
	if (c[n] == '\0')
		return NULL;
	bool is_quoted = false;
	for (c += n + 1; *c && (is_quoted || *c != ')'); c++) {
		if (*c == '\\' && *++c == '\0')
			return NULL;
		is_quoted ^= *c == '"' && c[-1] != '\\';
	}
	if (*c == '\0')
		return NULL;
	c++;
	c += strspn(c, " ");
	return *c == '%' ? c + 1 : NULL;
}

static void check_header_value(struct check *check, const char *value)
{
	for (const char *c = value; *c; c++)
		if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f) {
			check_error(check, NULL, "a header's value must not hold control characters");
			return;
		}
	const char *c = strchr(value, '%');
	while (c) {
		c = c[1] == '%' ? c + 2 : c[1] == '\0' ? NULL : skip_variable(c + 1);
		if (!c) {
			check_error(check, NULL, "\"%s\": a \"%%\" is not closed; write \"%%%%\" for the sign itself",
			            value);
			return;
		}
		c = strchr(c, '%');
	}
	if (!command_operators_are_known(value))
		check_warn(
		    check, NULL,
		    "\"%s\" has a command operator that proxies may not know: the value is sent as it stands; write "
		    "\"%%%%\" for the sign itself",
		    value);
}

static void check_operations(struct check *check, const char *field, const istio_headers_header_operations *operations,
                             bool is_request)
{
	if (!operations)
		return;
	check_enter(check, field);
	for (size_t i = 0; i < operations->n_set; i++) {
		check_enter_key(check, "set", operations->set[i]->key);
		check_set_name(check, operations->set[i]->key, is_request);
		check_header_value(check, operations->set[i]->value);
		check_leave(check);
	}
	for (size_t i = 0; i < operations->n_add; i++) {
		check_enter_key(check, "add", operations->add[i]->key);
		check_set_name(check, operations->add[i]->key, is_request);
		check_header_value(check, operations->add[i]->value);
		check_leave(check);
	}
	for (size_t i = 0; i < operations->n_remove; i++) {
		check_enter_at(check, "remove", i);
		check_set_name(check, operations->remove[i], false);
		check_leave(check);
	}
	check_leave(check);
}

void check_headers(struct check *check, const istio_headers *headers)
{
	if (!headers)
		return;
	check_enter(check, "headers");
	check_operations(check, "request", headers->request, true);
	check_operations(check, "response", headers->response, false);
	check_leave(check);
}

/* The authority may be rewritten in one place only. */
void check_authority(struct check *check, const istio_http_route *route)
{
	size_t n = route->rewrite && !text_is_empty(route->rewrite->authority);
	const istio_headers_header_operations *request = route->headers ? route->headers->request : NULL;
	for (size_t i = 0; request && i < request->n_set; i++)
		n += is_authority(request->set[i]->key);
	for (size_t i = 0; request && i < request->n_add; i++)
		n += is_authority(request->add[i]->key);
	if (n > 1)
		check_error(check, "headers", "the authority is set %zu times (with rewrite.authority)", n);
}
