#include "cli/authz_claims.h"

#include "base/vec.h"

#include <string.h>

static bool is_of_words(const envoy_jwt_authentication *filter, const char *issuer, const char *claim)
{
	for (size_t i = 0; i < filter->n_providers; i++) {
		const envoy_jwt_provider *provider = filter->providers[i]->value;
		const envoy_jwt_provider_normalize_payload *normalize = provider->normalize_payload_in_metadata;
		if (issuer && !text_is_empty(provider->issuer) && strcmp(issuer, provider->issuer) != 0)
			continue;
		for (size_t j = 0; normalize && j < normalize->n_space_delimited_claims; j++)
			if (strcmp(normalize->space_delimited_claims[j], claim) == 0)
				return true;
	}
	return false;
}

static const struct json *words_of(struct arena *arena, const char *s)
{
	VEC(const struct json *) words = {0};
	for (s += strspn(s, " "); *s; s += strspn(s, " ")) {
		size_t n = strcspn(s, " ");
		struct json *word = ARENA_NEW(arena, struct json);
		*word = (struct json){.type = JSON_STRING, .string = {arena_strndup(arena, s, n), n}};
		VEC_PUSH(arena, &words, word);
		s += n;
	}
	struct json *list = ARENA_NEW(arena, struct json);
	*list = (struct json){.type = JSON_ARRAY, .array = {words.v, words.n}};
	return list;
}

const struct json *authz_claims(struct arena *arena, const struct json *claims, const envoy_jwt_authentication *filter)
{
	const char *issuer = json_get_string(claims, "iss");
	struct json_member *members = ARENA_NEW_N(arena, struct json_member, claims->object.n);
	for (size_t i = 0; i < claims->object.n; i++) {
		members[i] = claims->object.v[i];
		if (members[i].value->type == JSON_STRING && is_of_words(filter, issuer, members[i].key))
			members[i].value = words_of(arena, members[i].value->string.s);
	}
	struct json *out = ARENA_NEW(arena, struct json);
	*out = (struct json){.type = JSON_OBJECT, .object = {members, claims->object.n}};
	return out;
}
