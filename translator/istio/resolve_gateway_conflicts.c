/*
 * Servers that are left out because others came first: of one address and port all must be of one kind, and a name in a
 * handshake can lead to one only. Said of Gateways with the same selector; others may never meet in a proxy.
 */
#include "base/text.h"
#include "translator/istio/gateway_lowering.h"

#include <stdlib.h>
#include <string.h>

static int compare_precedence(const void *a, const void *b)
{
	const struct gateway *x = *(const struct gateway *const *)a, *y = *(const struct gateway *const *)b;
	if (x->created_s != y->created_s)
		return x->created_s < y->created_s ? -1 : 1;
	int order = strcmp(x->name, y->name);
	return order ? order : strcmp(x->namespace, y->namespace);
}

/* Where the server listens, as text: with the selector, since other proxies are no rivals. */
static const char *place_of(struct arena *arena, const struct gateway *gateway, const struct gateway_server *server)
{
	CLEANUP(text_done) struct text place = {0};
	for (size_t i = 0; i < gateway->selector.n; i++)
		text_printf(&place, "%s=%s,", gateway->selector.v[i].key, gateway->selector.v[i].value);
	text_printf(&place, "%s|%u", server->bind ? server->bind : "", server->port);
	return arena_strdup(arena, text_get(&place));
}

static const char *kind_of(const struct gateway_server *server)
{
	if (server->tls.mode != GATEWAY_TLS_NONE)
		return "TLS";
	return protocol_transport(server->protocol) == TRANSPORT_HTTP ? "plaintext HTTP" : "plaintext TCP";
}

/* Who was first. */
struct owner {
	const struct gateway *gateway;
	const struct gateway_server *server;
};

struct conflicts {
	struct draft *draft;
	struct map places, names; /* -> struct owner */
};

static const struct owner *claim(struct arena *arena, struct map *map, const char *key, const struct owner *by)
{
	void **slot = map_slot(arena, map, key);
	if (*slot)
		return *slot;
	struct owner *owner = *slot = ARENA_NEW(arena, struct owner);
	*owner = *by;
	return owner;
}

static void add_row(const struct conflicts *conflicts, const struct owner *loser, const char *part, const char *message)
{
	report_add(conflicts->draft->report, loser->gateway->source.object, REPORT_ERROR, REASON_CONFLICT,
	           arena_printf(conflicts->draft->arena, "spec.servers[%u].%s", loser->server->place, part), "%s",
	           message);
}

/* Routes share what is passed through; only who ends TLS has a name for itself. */
static void check_names(struct conflicts *conflicts, const char *place, const struct owner *one)
{
	struct arena *arena = conflicts->draft->arena;
	for (size_t i = 0; gateway_tls_is_terminated(one->server->tls.mode) && i < one->server->n_hosts; i++) {
		const char *host = one->server->hosts[i].host;
		const struct owner *owner =
		    claim(arena, &conflicts->names, arena_printf(arena, "%s|%s", place, host), one);
		if (owner->server != one->server)
			add_row(
			    conflicts, one, arena_printf(arena, "hosts[%zu]", i),
			    arena_printf(arena,
			                 "Gateway %s/%s has a server for \"%s\" on port %u already, which is in force",
			                 owner->gateway->namespace, owner->gateway->name, host, one->server->port));
	}
}

static void check_server(struct conflicts *conflicts, const struct owner *one)
{
	struct arena *arena = conflicts->draft->arena;
	const char *place = place_of(arena, one->gateway, one->server);
	const struct owner *owner = claim(arena, &conflicts->places, place, one);
	if (!text_equal(kind_of(owner->server), kind_of(one->server)))
		add_row(conflicts, one, "port.number",
		        arena_printf(arena,
		                     "port %u is one for %s by Gateway %s/%s already, so it cannot be one for %s; the "
		                     "server is left out",
		                     one->server->port, kind_of(owner->server), owner->gateway->namespace,
		                     owner->gateway->name, kind_of(one->server)));
	else
		check_names(conflicts, place, one);
}

void gateway_check_conflicts(struct draft *draft)
{
	struct conflicts conflicts = {.draft = draft};
	size_t n = draft->gateways.n;
	const struct gateway **gateways = ARENA_NEW_N(draft->arena, const struct gateway *, n);
	for (size_t i = 0; i < n; i++)
		gateways[i] = draft->gateways.v[i];
	qsort(gateways, n, sizeof *gateways, compare_precedence);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < gateways[i]->n_servers; j++)
			check_server(&conflicts, &(struct owner){gateways[i], &gateways[i]->servers[j]});
}
