#include "server/source/unreadable.h"

#include "crds/object.h"
#include "tests/unit/unit.h"

#include <string.h>

/* "NAMESPACE NAME ACTION" of what is found. */
static const char *found(struct arena *arena, enum kind kind, const char *text)
{
	const struct json *document = unreadable_document(arena, &kinds[kind], text, strlen(text));
	if (!document)
		return "none";
	struct object_claim claim = object_claim(document);
	const char *action = json_get_string(json_get(document, "spec"), "action");
	return arena_printf(arena, "%s %s %s", claim.namespace, claim.name, action ? action : "-");
}

START_TEST(what_it_was_is_found_by_its_words)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
	    {"kind: AuthorizationPolicy\nmetadata: {name: a, namespace: shop}\nspec: {]", "shop (unreadable) -"},
	    {"kind: AuthorizationPolicy\nspec: {]", "default (unreadable) -"},
	    {"{\"kind\": \"AuthorizationPolicy\", \"metadata\": {\"namespace\": \"shop\"}, \"spec\": "
	     "{\"action\":\"DENY\",",
	     "shop (unreadable DENY) DENY"},
	    {"kind: 'AuthorizationPolicy'\nnamespace:\tshop\naction DENY", "shop (unreadable DENY) DENY"},
	    {"kind: AuthorizationPolicy\nnamespaces: [a]\nkey: source.namespace, values: [b]",
	     "default (unreadable) -"},
	    {"kind: AuthorizationPolicy\naction:\n\tDENY", "default (unreadable ) "},
	    {"kind: AuthorizationPolicy\naction: \"a\\\"b\"", "default (unreadable a) a"},
	    {"kind: List\nitems:\n- kind: AuthorizationPolicy\n", "default (unreadable) -"},
	    {"kind: AuthorizationPolicyBinding\n", "none"},
	    {"kinds: AuthorizationPolicy\n", "none"},
	    {"kind: VirtualService\nname: AuthorizationPolicy\n", "none"},
	    {"kind:", "none"},
	    {"kind", "none"},
	    {"", "none"},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_str_eq(found(arena, KIND_AUTHORIZATION_POLICY, rows[i].in), rows[i].want);
}
END_TEST

START_TEST(each_kind_that_keeps_somebody_out_is_found)
{
	static const char text[] = "kind: List\nitems:\n- kind: PeerAuthentication\n  metadata: {namespace: shop}\n"
	                           "- kind: RequestAuthentication\n- kind: VirtualService\n]";
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ck_assert_str_eq(found(arena, KIND_PEER_AUTHENTICATION, text), "shop (unreadable) -");
	ck_assert_str_eq(found(arena, KIND_REQUEST_AUTHENTICATION, text), "shop (unreadable) -");
	ck_assert_str_eq(found(arena, KIND_AUTHORIZATION_POLICY, text), "none");
	ck_assert_str_eq(found(arena, KIND_VIRTUAL_SERVICE, text), "none");
}
END_TEST

UNIT_MAIN("unreadable", what_it_was_is_found_by_its_words, each_kind_that_keeps_somebody_out_is_found)
