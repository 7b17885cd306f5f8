/* Tokens of requests: Envoy's JWT authentication. */
#include "translator/envoy/emit_parts.h"

PROTO_ALIAS(providers_entry, Envoy__Extensions__Filters__Http__JwtAuthn__V3__JwtAuthentication__ProvidersEntry,
            envoy__extensions__filters__http__jwt_authn__v3__jwt_authentication__providers_entry)

/*
 * For keys that are not known: one that verifies nothing, so that every token is refused. It is a point on P-256 whose
 * x is SHA-256("weft: nobody has this key 1"), so nobody can have made it from a private key.
 */
#define NOBODYS_KEYS                                                                                                   \
	"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"use\":\"sig\","                              \
	"\"x\":\"zVHttSZSjNLXJgus7ZO_cpPVpt_KErKFo2c3rNDcWcg\","                                                       \
	"\"y\":\"zmU2xxAl02LURcPVawCgyWTOPmQORHGbVXrT4JNB8HY\"}]}"

static const char *const word_claims[] = {"scope", "permission"};

static void add_strings(struct arena *arena, char ***v, size_t *n, const struct strings *from)
{
	*v = ARENA_NEW_N(arena, char *, from->n);
	for (size_t i = 0; i < from->n; i++)
		(*v)[i] = borrow(from->v[i]);
	*n = from->n;
}

/* ---- a rule as a provider ---- */

static void set_locations(struct arena *arena, envoy_jwt_provider *out, const struct jwt_rule *rule)
{
	for (size_t i = 0; i < rule->n_headers; i++) {
		envoy_jwt_header *header = envoy_jwt_header_new(arena);
		header->name = borrow(rule->headers[i].name);
		header->value_prefix = borrow(rule->headers[i].prefix);
		BUILD_ADD(arena, out, from_headers, header);
	}
	add_strings(arena, &out->from_params, &out->n_from_params, &rule->params);
	add_strings(arena, &out->from_cookies, &out->n_from_cookies, &rule->cookies);
}

/* What the workload and the filters behind this one get to know. */
static void set_output(struct arena *arena, envoy_jwt_provider *out, const struct jwt_rule *rule)
{
	out->forward = rule->is_token_forwarded;
	out->forward_payload_header = borrow(rule->payload_header);
	for (size_t i = 0; i < rule->n_claim_headers; i++) {
		envoy_jwt_claim_to_header *header = envoy_jwt_claim_to_header_new(arena);
		header->header_name = borrow(rule->claim_headers[i].header);
		header->claim_name = borrow(rule->claim_headers[i].claim);
		BUILD_ADD(arena, out, claim_to_headers, header);
	}
	out->payload_in_metadata = borrow(NAME_JWT_PAYLOAD);
	envoy_jwt_provider_normalize_payload *normalize = envoy_jwt_provider_normalize_payload_new(arena);
	for (size_t i = 0; i < sizeof word_claims / sizeof word_claims[0]; i++)
		BUILD_ADD(arena, normalize, space_delimited_claims, borrow(word_claims[i]));
	for (size_t i = 0; i < rule->word_claims.n; i++)
		BUILD_ADD(arena, normalize, space_delimited_claims, borrow(rule->word_claims.v[i]));
	out->normalize_payload_in_metadata = normalize;
}

static envoy_jwt_provider *provider(const struct emit *emit, const struct jwt_rule *rule)
{
	struct arena *arena = emit->arena;
	envoy_jwt_provider *out = envoy_jwt_provider_new(arena);
	out->issuer = borrow(rule->issuer);
	add_strings(arena, &out->audiences, &out->n_audiences, &rule->audiences);
	out->jwks_source_specifier_case =
	    ENVOY__EXTENSIONS__FILTERS__HTTP__JWT_AUTHN__V3__JWT_PROVIDER__JWKS_SOURCE_SPECIFIER_LOCAL_JWKS;
	out->local_jwks = envoy_data_source_new(arena);
	out->local_jwks->specifier_case = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_STRING;
	out->local_jwks->inline_string = borrow(rule->keys ? rule->keys : NOBODYS_KEYS);
	set_locations(arena, out, rule);
	set_output(arena, out, rule);
	out->clear_route_cache = emit->proxy.role == PROXY_GATEWAY; /* whose routes may look at claims */
	return out;
}

/* ---- what is required ---- */

static envoy_jwt_requirement *require_provider(struct arena *arena, const char *name)
{
	envoy_jwt_requirement *out = envoy_jwt_requirement_new(arena);
	out->requires_type_case =
	    ENVOY__EXTENSIONS__FILTERS__HTTP__JWT_AUTHN__V3__JWT_REQUIREMENT__REQUIRES_TYPE_PROVIDER_NAME;
	out->provider_name = borrow(name);
	return out;
}

static envoy_jwt_requirement *require_any(struct arena *arena)
{
	envoy_jwt_requirement *out = envoy_jwt_requirement_new(arena);
	out->requires_type_case =
	    ENVOY__EXTENSIONS__FILTERS__HTTP__JWT_AUTHN__V3__JWT_REQUIREMENT__REQUIRES_TYPE_REQUIRES_ANY;
	out->requires_any = envoy_jwt_requirement_or_list_new(arena);
	return out;
}

/* A token of the provider's, or none. */
static envoy_jwt_requirement *require_sound(struct arena *arena, const char *name)
{
	envoy_jwt_requirement *missing = envoy_jwt_requirement_new(arena), *out = require_any(arena);
	missing->requires_type_case =
	    ENVOY__EXTENSIONS__FILTERS__HTTP__JWT_AUTHN__V3__JWT_REQUIREMENT__REQUIRES_TYPE_ALLOW_MISSING;
	missing->allow_missing = google_empty_new(arena);
	BUILD_ADD(arena, out->requires_any, requirements, require_provider(arena, name));
	BUILD_ADD(arena, out->requires_any, requirements, missing);
	return out;
}

static envoy_jwt_requirement *require_all(struct arena *arena)
{
	envoy_jwt_requirement *out = envoy_jwt_requirement_new(arena);
	out->requires_type_case =
	    ENVOY__EXTENSIONS__FILTERS__HTTP__JWT_AUTHN__V3__JWT_REQUIREMENT__REQUIRES_TYPE_REQUIRES_ALL;
	out->requires_all = envoy_jwt_requirement_and_list_new(arena);
	return out;
}

/* Of providers that look at one place, where the token can be of one only: that one of them takes it does as well as
 * that all take what they find, which is also so when there is none. */
static envoy_jwt_requirement *require_one_sound(struct arena *arena, char *const *names, size_t n)
{
	if (n == 1)
		return require_sound(arena, names[0]);
	envoy_jwt_requirement *out = require_any(arena), *all = require_all(arena);
	for (size_t i = 0; i < n; i++) {
		BUILD_ADD(arena, out->requires_any, requirements, require_provider(arena, names[i]));
		BUILD_ADD(arena, all->requires_all, requirements, require_sound(arena, names[i]));
	}
	BUILD_ADD(arena, out->requires_any, requirements, all);
	return out;
}

/* groups[i]: the first rule of those that look where rules->v[i] looks, directly or by way of others. */
static size_t *group_by_place(struct arena *arena, const struct jwt_rules *rules)
{
	size_t *groups = ARENA_NEW_N(arena, size_t, rules->n);
	for (size_t i = 0; i < rules->n; i++) {
		groups[i] = i;
		for (size_t j = 0; j < i; j++) {
			if (groups[j] == groups[i] || !jwt_rules_meet(rules->v[i], rules->v[j]))
				continue;
			size_t from = groups[i] > groups[j] ? groups[i] : groups[j];
			size_t to = groups[i] > groups[j] ? groups[j] : groups[i];
			for (size_t k = 0; k <= i; k++)
				groups[k] = groups[k] == from ? to : groups[k];
		}
	}
	return groups;
}

/*
 * A token that is there must be sound wherever it is: one at another place does not vouch for it. A rule that is
 * required has no keys where it stands in for what was refused, so that nothing passes.
 */
static envoy_jwt_requirement *require_all_sound(struct arena *arena, const struct jwt_rules *rules, char *const *names)
{
	for (size_t i = 0; i < rules->n; i++)
		if (rules->v[i]->is_required)
			return require_provider(arena, names[i]);
	const size_t *groups = group_by_place(arena, rules);
	envoy_jwt_requirement *out = require_all(arena);
	for (size_t i = 0; i < rules->n; i++) {
		VEC(char *) members = {0};
		for (size_t j = i; groups[i] == i && j < rules->n; j++)
			if (groups[j] == i)
				VEC_PUSH(arena, &members, names[j]);
		if (members.n)
			BUILD_ADD(arena, out->requires_all, requirements,
			          require_one_sound(arena, members.v, members.n));
	}
	return out->requires_all->n_requirements == 1 ? out->requires_all->requirements[0] : out;
}

static envoy_jwt_requirement_rule *rule_for_all(struct arena *arena, envoy_jwt_requirement *required)
{
	envoy_jwt_requirement_rule *rule = envoy_jwt_requirement_rule_new(arena);
	rule->match = route_match(arena, NULL);
	rule->requirement_type_case =
	    ENVOY__EXTENSIONS__FILTERS__HTTP__JWT_AUTHN__V3__REQUIREMENT_RULE__REQUIREMENT_TYPE_REQUIRES;
	rule->requires = required;
	return rule;
}

ProtobufCMessage *filter_jwt(const struct emit *emit)
{
	struct arena *arena = emit->arena;
	const struct jwt_rules *rules = &emit->jwt_rules;
	envoy_jwt_authentication *out = envoy_jwt_authentication_new(arena);
	char **names = ARENA_NEW_N(arena, char *, rules->n);
	for (size_t i = 0; i < rules->n; i++) {
		providers_entry *entry = providers_entry_new(arena);
		names[i] = name_jwt_provider(arena, i);
		entry->key = names[i];
		entry->value = provider(emit, rules->v[i]);
		BUILD_ADD(arena, out, providers, entry);
	}
	BUILD_ADD(arena, out, rules, rule_for_all(arena, require_all_sound(arena, rules, names)));
	out->bypass_cors_preflight = true;
	return &out->base;
}
