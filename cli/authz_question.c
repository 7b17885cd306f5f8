#include "cli/authz_question.h"

#include "base/text.h"
#include "base/vec.h"
#include "cli/suggest.h"
#include "translator/address.h"

#define PORT_MAX 65535
#define SPIFFE "spiffe://"

typedef bool member_reader(struct arena *arena, const struct json *value, void *out, struct error *error);

static bool wrong_type(struct error *error, const char *wanted, const struct json *value)
{
	return error_set(error, "must be %s, not %s", wanted, json_type_name(value->type));
}

static bool read_text(struct arena *arena, const struct json *value, void *out, struct error *error)
{
	(void)arena;
	if (value->type != JSON_STRING)
		return wrong_type(error, "a string", value);
	*(const char **)out = value->string.s;
	return true;
}

static bool read_text_or_null(struct arena *arena, const struct json *value, void *out, struct error *error)
{
	if (value->type != JSON_NULL)
		return read_text(arena, value, out, error);
	*(const char **)out = NULL;
	return true;
}

static bool read_port(struct arena *arena, const struct json *value, void *out, struct error *error)
{
	(void)arena;
	if (value->type != JSON_INT)
		return wrong_type(error, "a number", value);
	if (value->integer < 1 || value->integer > PORT_MAX)
		return error_set(error, "%lld is not a port", (long long)value->integer);
	*(uint32_t *)out = (uint32_t)value->integer;
	return true;
}

static bool read_claims(struct arena *arena, const struct json *value, void *out, struct error *error)
{
	(void)arena;
	if (value->type != JSON_OBJECT && value->type != JSON_NULL)
		return wrong_type(error, "an object", value);
	*(const struct json **)out = value->type == JSON_OBJECT ? value : NULL;
	return true;
}

static bool read_tcp(struct arena *arena, const struct json *value, void *out, struct error *error)
{
	(void)arena;
	if (value->type != JSON_BOOL)
		return wrong_type(error, "true or false", value);
	*(bool *)out = !value->boolean;
	return true;
}

typedef VEC(struct authz_header) header_list;

static bool add_header(struct arena *arena, header_list *headers, const char *name, const struct json *value,
                       struct error *error)
{
	if (value->type != JSON_STRING)
		return wrong_type(error, "a string or a list of strings", value);
	VEC_PUSH(arena, headers, (struct authz_header){name, value->string.s});
	return true;
}

static bool read_headers(struct arena *arena, const struct json *value, void *out, struct error *error)
{
	struct authz_request *request = out;
	header_list headers = {0};
	if (value->type != JSON_OBJECT)
		return wrong_type(error, "an object", value);
	for (size_t i = 0; i < value->object.n; i++) {
		const struct json_member *member = &value->object.v[i];
		const struct json *texts = member->value;
		bool is_list = texts->type == JSON_ARRAY;
		for (size_t j = 0; j < (is_list ? texts->array.n : 1); j++)
			if (!add_header(arena, &headers, member->key, is_list ? texts->array.v[j] : texts, error))
				return error_wrap(error, "%s", member->key);
	}
	request->headers = headers.v;
	request->n_headers = headers.n;
	return true;
}

#define AT(member) offsetof(struct authz_question, member)

static const struct member {
	const char *name;
	member_reader *read;
	size_t at;
} members[] = {
    {"to", read_text, AT(to)},
    {"from", read_text_or_null, AT(from)},
    {"port", read_port, AT(request.port)},
    {"method", read_text, AT(request.method)},
    {"path", read_text, AT(request.path)},
    {"host", read_text_or_null, AT(request.host)},
    {"headers", read_headers, AT(request)},
    {"jwtClaims", read_claims, AT(request.claims)},
    {"sourceIp", read_text_or_null, AT(request.source_ip)},
    {"remoteIp", read_text_or_null, AT(request.remote_ip)},
    {"serverName", read_text_or_null, AT(request.server_name)},
    {"tcp", read_tcp, AT(request.is_http)},
};
#define N_MEMBERS (sizeof members / sizeof members[0])

static const struct member *find_member(const char *name)
{
	for (size_t i = 0; i < N_MEMBERS; i++)
		if (text_equal(members[i].name, name))
			return &members[i];
	return NULL;
}

static bool unknown_member(struct error *error, const char *name)
{
	const char *names[N_MEMBERS + 1] = {NULL};
	for (size_t i = 0; i < N_MEMBERS; i++)
		names[i] = members[i].name;
	const char *near = suggest(name, names);
	if (near)
		return error_set(error, "\"%s\" is not known; did you mean \"%s\"?", name, near);
	return error_set(error, "\"%s\" is not known", name);
}

bool authz_question_read(struct arena *arena, const char *s, size_t n, const struct authz_question *defaults,
                         struct authz_question *question, struct error *error)
{
	const struct json *object = json_parse(arena, s, n, error);
	if (!object)
		return false;
	if (object->type != JSON_OBJECT)
		return wrong_type(error, "an object", object);
	*question = *defaults;
	for (size_t i = 0; i < object->object.n; i++) {
		const struct json_member *given = &object->object.v[i];
		const struct member *member = find_member(given->key);
		if (!member)
			return unknown_member(error, given->key);
		if (!member->read(arena, given->value, (char *)question + member->at, error))
			return error_wrap(error, "%s", given->key);
	}
	return true;
}

/* In its one spelling, as a proxy sees it. */
static bool take_address(struct arena *arena, const char *what, const char **address, struct error *error)
{
	const char *canonical = *address ? address_canonical(arena, *address) : NULL;
	if (*address && !canonical)
		return error_set(error, "%s: \"%s\" is not an IP address", what, *address);
	*address = canonical ? address_unmapped(arena, canonical) : NULL;
	return true;
}

bool authz_question_complete(struct arena *arena, struct authz_question *question, struct error *error)
{
	struct authz_request *request = &question->request;
	const char *from = question->from;
	if (request->path[0] != '/')
		return error_set(error, "path: must begin with \"/\"");
	if (!take_address(arena, "source IP", &request->source_ip, error) ||
	    !take_address(arena, "remote IP", &request->remote_ip, error))
		return false;
	if (from)
		request->principal = text_has_prefix(from, SPIFFE) ? from : arena_printf(arena, SPIFFE "%s", from);
	if (!request->remote_ip)
		request->remote_ip = request->source_ip;
	return true;
}
