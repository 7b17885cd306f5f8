/*
 * The authorities that mean a host of a sidecar's route table. For a Kubernetes service, what its clients' resolvers
 * would complete: "reviews", "reviews.default", "reviews.default.svc", the whole name, and that with the final dot.
 * Tables ignore ports, so none is written here.
 */
#include "base/text.h"
#include "translator/envoy/emit_parts.h"

#include <arpa/inet.h>
#include <string.h>

/* Between namespace and domain in a Kubernetes service's name, and in its clients' domain. */
#define SVC ".svc."

struct domains {
	struct arena *arena;
	VEC(const char *) v;
};

static bool is_address(const char *s)
{
	unsigned char address[sizeof(struct in6_addr)];
	return inet_pton(AF_INET, s, address) == 1 || inet_pton(AF_INET6, s, address) == 1;
}

/* A host has about ten domains: a walk is as good as a set. */
static void add(struct domains *domains, const char *domain)
{
	for (size_t i = 0; i < domains->v.n; i++)
		if (strcmp(domains->v.v[i], domain) == 0)
			return;
	VEC_PUSH(domains->arena, &domains->v, domain);
}

/* IPv6 addresses stand in brackets in an authority. */
static void add_name(struct domains *domains, const char *name)
{
	add(domains, strchr(name, ':') ? arena_printf(domains->arena, "[%s]", name) : name);
}

/* "reviews" in its own namespace, "reviews.default" and "reviews.default.svc" in all, when the domain is one. */
static void add_short_names(struct domains *domains, const char *host, const char *client_domain)
{
	const char *svc = strstr(host, SVC), *client_svc = strstr(client_domain, SVC);
	if (!svc || !client_svc || !text_has_suffix(host, client_svc))
		return;
	const char *dot = strchr(host, '.');
	if (dot + 1 > svc)
		return; /* no namespace: not a Kubernetes name */
	size_t namespace_n = (size_t)(svc - dot - 1), client_n = (size_t)(client_svc - client_domain);
	struct arena *arena = domains->arena;
	if (namespace_n == client_n && memcmp(dot + 1, client_domain, client_n) == 0)
		add(domains, arena_strndup(arena, host, (size_t)(dot - host)));
	add(domains, arena_strndup(arena, host, (size_t)(svc - host) + strlen(SVC) - 1));
	add(domains, arena_strndup(arena, host, (size_t)(svc - host)));
}

static void add_host(struct domains *domains, const char *host, const char *client_domain)
{
	add_name(domains, host);
	if (is_address(host))
		return;
	if (!text_has_suffix(host, "*"))
		add(domains, arena_printf(domains->arena, "%s.", host));
	add_short_names(domains, host, client_domain);
}

/* A headless service's pods have names below its own. */
static void add_pod_names(struct domains *domains)
{
	for (size_t i = 0, n = domains->v.n; i < n; i++)
		if (domains->v.v[i][0] != '*')
			add(domains, arena_printf(domains->arena, "*.%s", domains->v.v[i]));
}

static void add_addresses(struct domains *domains, const struct service *service)
{
	for (size_t i = 0; i < service->addresses.n; i++) {
		const char *address = service->addresses.v[i];
		bool is_unspecified = strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
		if (!is_unspecified && !strchr(address, '/'))
			add_name(domains, address);
	}
}

struct strings virtual_host_domains(struct arena *arena, const struct scope_host *host, const struct strings *aliases,
                                    const char *client_domain)
{
	struct domains domains = {.arena = arena};
	const struct service *service = host->service ? host->service->service : NULL;
	if (!service || service->resolution == SERVICE_ALIAS || host->gateways || strcmp(host->hostname, "*") == 0) {
		add_name(&domains, host->hostname); /* only a rule speaks of the host, and it says which */
	} else {
		add_host(&domains, host->hostname, client_domain);
		for (size_t i = 0; aliases && i < aliases->n; i++)
			add_host(&domains, aliases->v[i], client_domain);
		if (service->is_headless && service->is_kubernetes)
			add_pod_names(&domains);
		add_addresses(&domains, service);
	}
	return (struct strings){.v = domains.v.v, .n = domains.v.n};
}

/* Services are sorted, so the names behind each target are too. */
struct map alias_index(struct arena *arena, const struct scope *scope)
{
	struct alias_names {
		struct strings strings; /* first: it is what the map gives out */
		VEC(const char *) v;
	};
	struct map index = {0};
	for (size_t i = 0; i < scope->n_services; i++) {
		const struct service *service = scope->services[i].service;
		if (service->resolution != SERVICE_ALIAS || text_is_empty(service->alias))
			continue;
		void **slot = map_slot(arena, &index, service->alias);
		struct alias_names *names = *slot ? *slot : ARENA_NEW(arena, struct alias_names);
		VEC_PUSH(arena, &names->v, service->hostname);
		names->strings = (struct strings){.v = names->v.v, .n = names->v.n};
		*slot = names;
	}
	return index;
}
