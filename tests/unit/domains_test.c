#include "base/text.h"
#include "tests/unit/unit.h"
#include "translator/envoy/emit_parts.h"

#define CLIENT "default.svc.cluster.local"

static const char *joined(struct arena *arena, const struct strings *strings)
{
	CLEANUP(text_done) struct text out = {0};
	for (size_t i = 0; i < strings->n; i++)
		text_printf(&out, "%s%s", i ? " " : "", strings->v[i]);
	return arena_strdup(arena, text_get(&out));
}

#define STRINGS(...)                                                                                                   \
	{                                                                                                              \
		.v = (const char *const[]){__VA_ARGS__},                                                               \
		.n = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)                                       \
	}

START_TEST(domains_of_a_host)
{
	const struct {
		const char *name;
		struct service service;
		bool has_no_service;
		struct strings aliases;
		const char *client, *want;
	} rows[] = {
	    {.name = "a client in the namespace may leave it out",
	     .service = {.hostname = "a.default.svc.cluster.local", .addresses = STRINGS("10.0.0.1")},
	     .want = "a.default.svc.cluster.local a.default.svc.cluster.local. a a.default.svc a.default 10.0.0.1"},
	    {.name = "one elsewhere may not",
	     .service = {.hostname = "a.default.svc.cluster.local"},
	     .client = "other.svc.cluster.local",
	     .want = "a.default.svc.cluster.local a.default.svc.cluster.local. a.default.svc a.default"},
	    {.name = "a namespace that begins alike is another",
	     .service = {.hostname = "a.default2.svc.cluster.local"},
	     .want = "a.default2.svc.cluster.local a.default2.svc.cluster.local. a.default2.svc a.default2"},
	    {.name = "another domain has no short names",
	     .service = {.hostname = "a.default.svc.cluster.remote"},
	     .want = "a.default.svc.cluster.remote a.default.svc.cluster.remote."},
	    {.name = "nor has a name outside",
	     .service = {.hostname = "api.example.com", .addresses = STRINGS("10.0.0.0/8", "0.0.0.0", "2001:db8::1")},
	     .want = "api.example.com api.example.com. [2001:db8::1]"},
	    {.name = "pods of a headless service",
	     .service = {.hostname = "a.b.svc.cluster.local", .is_headless = true, .is_kubernetes = true},
	     .want = "a.b.svc.cluster.local a.b.svc.cluster.local. a.b.svc a.b *.a.b.svc.cluster.local "
	             "*.a.b.svc.cluster.local. *.a.b.svc *.a.b"},
	    {.name = "an alias brings its own",
	     .service = {.hostname = "a.default.svc.cluster.local"},
	     .aliases = STRINGS("b.default.svc.cluster.local"),
	     .want = "a.default.svc.cluster.local a.default.svc.cluster.local. a a.default.svc a.default "
	             "b.default.svc.cluster.local b.default.svc.cluster.local. b b.default.svc b.default"},
	    {.name = "a rule's host is only what the rule says",
	     .service = {.hostname = "a.default.svc.cluster.local"},
	     .has_no_service = true,
	     .want = "a.default.svc.cluster.local"},
	    {.name = "wildcard", .service = {.hostname = "*.example.com"}, .want = "*.example.com *.example.com."},
	    {.name = "every host", .service = {.hostname = "*"}, .want = "*"},
	    {.name = "an address for a name", .service = {.hostname = "10.0.0.1"}, .want = "10.0.0.1"},
	    {.name = "not even a namespace",
	     .service = {.hostname = "x.svc.cluster.local"},
	     .want = "x.svc.cluster.local x.svc.cluster.local."},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const struct scope_service service = {.service = &rows[i].service};
		const struct scope_host host = {.hostname = rows[i].service.hostname,
		                                .port = 80,
		                                .service = rows[i].has_no_service ? NULL : &service};
		struct strings got =
		    virtual_host_domains(arena, &host, &rows[i].aliases, rows[i].client ? rows[i].client : CLIENT);
		ck_assert_msg(strcmp(joined(arena, &got), rows[i].want) == 0, "%s: %s", rows[i].name,
		              joined(arena, &got));
	}
}
END_TEST

UNIT_MAIN("domains", domains_of_a_host)
