/*
 * PeerAuthentications: what workloads take. A policy is for the mesh (root namespace), a namespace, or the workloads
 * that it selects; of those for one of them the oldest counts, and the others get a row of the report. What stands in
 * for a policy of which it cannot be told whom it selects comes before the oldest.
 */
#include "base/text.h"
#include "translator/istio/istio_parts.h"

#include <string.h>

static enum mtls_mode mode_of(const istio_peer_authentication_mutual_tls *mtls)
{
	static const enum mtls_mode modes[] = {
	    [ISTIO__SECURITY__V1BETA1__PEER_AUTHENTICATION__MUTUAL_TLS__MODE__UNSET] = MTLS_UNSET,
	    [ISTIO__SECURITY__V1BETA1__PEER_AUTHENTICATION__MUTUAL_TLS__MODE__DISABLE] = MTLS_DISABLE,
	    [ISTIO__SECURITY__V1BETA1__PEER_AUTHENTICATION__MUTUAL_TLS__MODE__PERMISSIVE] = MTLS_PERMISSIVE,
	    [ISTIO__SECURITY__V1BETA1__PEER_AUTHENTICATION__MUTUAL_TLS__MODE__STRICT] = MTLS_STRICT,
	};
	return mtls && (size_t)mtls->mode < sizeof modes / sizeof modes[0] ? modes[mtls->mode] : MTLS_UNSET;
}

static int compare_ports(const void *a, const void *b)
{
	uint32_t pa = ((const struct mtls_port *)a)->port, pb = ((const struct mtls_port *)b)->port;
	return (pa > pb) - (pa < pb);
}

static struct mtls_settings settings_of(struct arena *arena, const istio_peer_authentication *policy)
{
	VEC(struct mtls_port) ports = {0};
	for (size_t i = 0; i < policy->n_port_level_mtls; i++)
		VEC_PUSH(
		    arena, &ports,
		    (struct mtls_port){policy->port_level_mtls[i]->key, mode_of(policy->port_level_mtls[i]->value)});
	VEC_SORT(&ports, compare_ports);
	return (struct mtls_settings){mode_of(policy->mtls), ports.v, ports.n};
}

static struct peer_authentication *lower(struct draft *draft, const struct object *object)
{
	const istio_peer_authentication *policy = (const istio_peer_authentication *)object->message;
	struct peer_authentication *out = ARENA_NEW(draft->arena, struct peer_authentication);
	*out = (struct peer_authentication){
	    .name = object->name,
	    .namespace = object->namespace,
	    .settings = settings_of(draft->arena, policy),
	    .created_s = object->created_s,
	};
	if (policy->selector)
		out->selector = ISTIO_LABELS(draft->arena, policy->selector, match_labels);
	if (!out->selector.n)
		out->settings.n_ports = 0; /* ports are those of workloads */
	return out;
}

struct candidate {
	const struct object *object;
	struct peer_authentication *policy;
};

/* It may be for any of the workloads, whatever there is for all of them. */
static bool is_closing_all(const struct candidate *candidate)
{
	return candidate->object->is_stand_in && candidate->policy->selector.n == 0;
}

static int compare_candidates(const void *pa, const void *pb)
{
	const struct peer_authentication *a = ((const struct candidate *)pa)->policy;
	const struct peer_authentication *b = ((const struct candidate *)pb)->policy;
	int order = strcmp(a->namespace, b->namespace);
	if (order)
		return order;
	order = is_closing_all(pb) - is_closing_all(pa);
	if (order)
		return order;
	if (a->created_s != b->created_s)
		return a->created_s < b->created_s ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Two policies with one key are for the same workloads. */
static const char *key_of(struct arena *arena, const struct peer_authentication *policy)
{
	CLEANUP(text_done) struct text key = {0};
	text_add(&key, policy->namespace);
	for (size_t i = 0; i < policy->selector.n; i++)
		text_printf(&key, ",%s=%s", policy->selector.v[i].key, policy->selector.v[i].value);
	return arena_strdup(arena, text_get(&key));
}

/* `former`: policies by their keys. */
static void add(struct draft *draft, const struct candidate *candidate, struct map *former)
{
	struct peer_authentication *policy = candidate->policy;
	bool is_root = strcmp(policy->namespace, draft->model->mesh.root_namespace) == 0;
	if (is_root && policy->selector.n) {
		report_add(draft->report, candidate->object, REPORT_WARNING, REASON_NO_EFFECT, "spec.selector",
		           "a policy in the root namespace is for the mesh and selects no workloads; it is left out: "
		           "put it into the namespace of the workloads");
		return;
	}
	void **slot = map_slot(draft->arena, former, key_of(draft->arena, policy));
	const struct object *older = *slot;
	if (older) {
		report_add(draft->report, candidate->object, REPORT_WARNING, REASON_CONFLICT, NULL,
		           "PeerAuthentication %s/%s is for the same workloads and %s: this one has no effect",
		           older->namespace, older->name,
		           older->is_stand_in ? "wrong, so that they are closed" : "older");
		return;
	}
	*slot = (void *)(uintptr_t)candidate->object;
	if (is_root)
		policy->namespace = "";
	VEC_PUSH(draft->arena, &draft->peer_authentications, policy);
}

void resolve_peer_authentications(struct draft *draft)
{
	const struct snapshot_kind *objects = &draft->snapshot->kinds[KIND_PEER_AUTHENTICATION];
	VEC(struct candidate) candidates = {0};
	struct map former = {0};
	for (size_t i = 0; i < objects->n; i++)
		VEC_PUSH(draft->arena, &candidates, (struct candidate){objects->v[i], lower(draft, objects->v[i])});
	VEC_SORT(&candidates, compare_candidates);
	for (size_t i = 0; i < candidates.n; i++)
		add(draft, &candidates.v[i], &former);
	draft_seal_mtls(draft);
}
