#include "translator/istio/istio_parts.h"

#include "translator/address.h"

#include <ctype.h>
#include <string.h>

/* RFC 1123: what a namespace may be called. */
#define NAMESPACE_BYTES_MAX 63

static int compare_labels(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

struct labels istio_labels_sorted(struct label *v, size_t n)
{
	if (n > 1)
		qsort(v, n, sizeof *v, compare_labels);
	return (struct labels){v, n};
}

const char *istio_host_fqdn(struct draft *draft, const char *host, const char *namespace)
{
	char *lower = arena_strdup(draft->arena, host);
	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (!*lower || strchr(lower, '.') || strchr(lower, '*') || address_family_of(lower) != ADDRESS_NONE)
		return lower;
	return arena_printf(draft->arena, "%s.%s.svc.%s", lower, namespace, draft->model->mesh.domain_suffix);
}

static bool is_namespace(const char *s)
{
	size_t n = strlen(s);
	if (n == 0 || n > NAMESPACE_BYTES_MAX || s[0] == '-' || s[n - 1] == '-')
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

bool istio_is_export_to(const char *value)
{
	return strcmp(value, "*") == 0 || strcmp(value, ".") == 0 || strcmp(value, "~") == 0 || is_namespace(value);
}

static struct visibility visibility_of(struct draft *draft, const struct object *object, const char *field,
                                       const char *const *export_to, size_t n)
{
	VEC(const char *) namespaces = {0};
	bool is_public = false;
	for (size_t i = 0; i < n; i++) {
		const char *value = export_to[i];
		if (strcmp(value, "*") == 0)
			is_public = true;
		else if (strcmp(value, ".") == 0)
			VEC_PUSH(draft->arena, &namespaces, object->namespace);
		else if (is_namespace(value))
			VEC_PUSH(draft->arena, &namespaces, value);
		else if (strcmp(value, "~") != 0)
			report_add(draft->report, object, REPORT_ERROR, REASON_INVALID_VALUE,
			           arena_printf(draft->arena, "%s[%zu]", field, i),
			           "\"%s\" is neither a namespace nor one of \".\", \"*\", \"~\"; left out", value);
	}
	if (is_public)
		return (struct visibility){.is_public = true};
	VEC_SORT(&namespaces, text_compare);
	size_t kept = 0;
	for (size_t i = 0; i < namespaces.n; i++)
		if (kept == 0 || strcmp(namespaces.v[kept - 1], namespaces.v[i]) != 0)
			namespaces.v[kept++] = namespaces.v[i];
	return (struct visibility){.namespaces = {namespaces.v, kept}};
}

struct visibility istio_visibility(struct draft *draft, const struct object *object, enum istio_export kind,
                                   const char *field, char *const *export_to, size_t n)
{
	if (n)
		return visibility_of(draft, object, field, (const char *const *)export_to, n);
	const struct strings *defaults = &draft->istio->default_export_to[kind];
	if (!defaults->n)
		return (struct visibility){.is_public = true};
	return visibility_of(draft, object, field, defaults->v, defaults->n);
}

struct source_ref istio_source(struct draft *draft, const struct object *object, const char *kind_in_path)
{
	return (struct source_ref){
	    .object = object,
	    .path = arena_printf(draft->arena, "/apis/networking.istio.io/v1/namespaces/%s/%s/%s", object->namespace,
	                         kind_in_path, object->name),
	};
}

void resolve_istio(struct draft *draft)
{
	static void (*const parts[])(struct draft *) = {
	    resolve_mesh,                 /* what all others default to */
	    resolve_secrets,              /* gateways and policies name them */
	    resolve_workloads,            /* Pods, Nodes, WorkloadEntries: what services stand on */
	    resolve_peer_authentications, /* what those workloads take */
	    resolve_extension_providers,  /* these policies name */
	    resolve_authorization_policies,
	    resolve_request_authentications,
	    resolve_services, /* Services, EndpointSlices, Endpoints */
	    resolve_service_entries,
	    resolve_destination_rules, /* these name services */
	    resolve_gateways,
	    resolve_virtual_services, /* these name services, subsets and gateways */
	};
	draft->istio = ARENA_NEW(draft->arena, struct istio_settings);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		parts[i](draft);
}

void review_istio(struct draft *draft)
{
	review_policies(draft);
	review_routing_claims(draft);
}
