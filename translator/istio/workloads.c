#include "translator/istio/workloads.h"

#include "translator/address.h"

#include <string.h>

#define LABEL_LOCALITY "istio-locality"
#define LABEL_POD_TEMPLATE_HASH "pod-template-hash"
#define LABEL_STATEFUL_SET_POD "statefulset.kubernetes.io/pod-name"
#define LABEL_NETWORK "topology.istio.io/network"
#define LABEL_TLS_MODE "security.istio.io/tlsMode"
#define TLS_MODE_MUTUAL "istio"

/* Region, zone and sub-zone of a node; the second name is the one before Kubernetes 1.17. */
static const char *const topology_labels[3][2] = {
    {"topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"},
    {"topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"},
    {"topology.istio.io/subzone", NULL},
};

/* "region/zone/subzone"; parts that are missing are "". */
static struct locality parse_locality(struct arena *arena, const char *text)
{
	/* A label's value cannot hold "/": there "." stands for it. */
	const char *separator = strchr(text, '/') ? "/" : ".";
	const char *parts[3] = {"", "", ""};
	for (size_t i = 0; i < 3 && *text; i++) {
		size_t n = i == 2 ? strlen(text) : strcspn(text, separator);
		parts[i] = arena_strndup(arena, text, n);
		text += n;
		text += *text != '\0';
	}
	return (struct locality){parts[0], parts[1], parts[2]};
}

struct locality workloads_locality_of_entry(struct arena *arena, const istio_workload_entry *entry)
{
	if (*entry->locality)
		return parse_locality(arena, entry->locality);
	for (size_t i = 0; i < entry->n_labels; i++)
		if (strcmp(entry->labels[i]->key, LABEL_LOCALITY) == 0)
			return parse_locality(arena, entry->labels[i]->value);
	return (struct locality){"", "", ""};
}

bool workloads_is_mtls_entry(const istio_workload_entry *entry)
{
	for (size_t i = 0; i < entry->n_labels; i++)
		if (strcmp(entry->labels[i]->key, LABEL_TLS_MODE) == 0)
			return strcmp(entry->labels[i]->value, TLS_MODE_MUTUAL) == 0;
	return *entry->service_account != '\0';
}

/* Injection labels the pods that it gives a proxy. */
static bool is_mtls(const struct workload_source *source)
{
	if (source->entry)
		return workloads_is_mtls_entry(source->entry);
	return text_equal(object_label(source->object, LABEL_TLS_MODE), TLS_MODE_MUTUAL);
}

static struct locality locality_of_node(const struct object *node)
{
	const char *parts[3];
	for (size_t i = 0; i < 3; i++) {
		parts[i] = object_label(node, topology_labels[i][0]);
		if (!parts[i] && topology_labels[i][1])
			parts[i] = object_label(node, topology_labels[i][1]);
	}
	return (struct locality){parts[0] ? parts[0] : "", parts[1] ? parts[1] : "", parts[2] ? parts[2] : ""};
}

/* Node name -> struct locality. */
static struct map localities_of_nodes(struct draft *draft)
{
	const struct snapshot_kind *kind = &draft->snapshot->kinds[KIND_NODE];
	struct map nodes = {0};
	for (size_t i = 0; i < kind->n; i++) {
		struct locality *locality = ARENA_NEW(draft->arena, struct locality);
		*locality = locality_of_node(kind->v[i]);
		map_put(draft->arena, &nodes, kind->v[i]->name, locality);
	}
	return nodes;
}

static struct locality locality_of_pod(struct draft *draft, const struct map *nodes, const struct object *object,
                                       const k8s_pod *pod)
{
	const char *label = object_label(object, LABEL_LOCALITY);
	if (!text_is_empty(label))
		return parse_locality(draft->arena, label);
	const struct locality *locality = pod->spec && pod->spec->nodename ? map_get(nodes, pod->spec->nodename) : NULL;
	return locality ? *locality : (struct locality){"", "", ""};
}

/* "reviews-v1-5d4f9c7b8-x2x9z" with the template's hash "5d4f9c7b8" belongs to "reviews-v1"; "db-0" to "db". */
static const char *workload_name_of_pod(struct arena *arena, const struct object *pod)
{
	const char *hash = object_label(pod, LABEL_POD_TEMPLATE_HASH);
	if (!text_is_empty(hash)) {
		const char *tail = arena_printf(arena, "-%s-", hash), *at = strstr(pod->name, tail);
		if (at && at > pod->name)
			return arena_strndup(arena, pod->name, (size_t)(at - pod->name));
	}
	const char *dash = strrchr(pod->name, '-');
	if (object_label(pod, LABEL_STATEFUL_SET_POD) && dash && dash > pod->name)
		return arena_strndup(arena, pod->name, (size_t)(dash - pod->name));
	return pod->name;
}

static struct strings addresses_of_pod(struct arena *arena, const k8s_pod *pod)
{
	VEC(const char *) addresses = {0};
	const k8s_pod_status *status = pod->status;
	for (size_t i = 0; status && i < status->n_podips; i++) {
		const char *address = status->podips[i]->ip ? address_canonical(arena, status->podips[i]->ip) : NULL;
		if (address)
			VEC_PUSH(arena, &addresses, address);
	}
	if (!addresses.n && status && status->podip) {
		const char *address = address_canonical(arena, status->podip);
		if (address)
			VEC_PUSH(arena, &addresses, address);
	}
	return (struct strings){addresses.v, addresses.n};
}

/* A pod that ended keeps its address in its status although another pod may have it by now. */
static bool has_ended(const k8s_pod *pod)
{
	const char *phase = pod->status ? pod->status->phase : NULL;
	return text_equal(phase, "Succeeded") || text_equal(phase, "Failed");
}

/* One that nobody has judged (in files, mostly) counts as ready. */
static bool is_ready(const k8s_pod *pod)
{
	for (size_t i = 0; pod->status && i < pod->status->n_conditions; i++)
		if (text_equal(pod->status->conditions[i]->type, "Ready"))
			return text_equal(pod->status->conditions[i]->status, "True");
	return true;
}

/*
 * The endpoint that every service makes of the workload. Its name stands for all replicas. The digest is taken here,
 * once, so that each of a thousand lists hashes sixteen bytes.
 */
static void set_endpoint(struct arena *arena, struct workload_source *source, const char *name, const char *network)
{
	const struct workload *workload = source->workload;
	source->endpoint = (struct endpoint){
	    .labels = workload->labels,
	    .locality = workload->locality,
	    .namespace = workload->namespace,
	    .workload = name,
	    .service_account = workload->service_account,
	    .network = network,
	    .is_mtls = is_mtls(source),
	};
	const k8s_pod_spec *spec = source->pod ? source->pod->spec : NULL;
	endpoint_add_topology(arena, &source->endpoint, spec ? spec->nodename : "");
	source->identity = endpoint_identity(&source->endpoint);
}

static struct workload_source source_of_pod(struct draft *draft, const struct map *nodes, const struct object *object,
                                            const k8s_pod *pod)
{
	struct workload *workload = ARENA_NEW(draft->arena, struct workload);
	const char *account = pod->spec ? pod->spec->serviceaccountname : NULL;
	*workload = (struct workload){
	    .name = object->name,
	    .namespace = object->namespace,
	    .service_account = text_is_empty(account) ? "default" : account,
	    .addresses = addresses_of_pod(draft->arena, pod),
	    .labels = {object->labels, object->n_labels},
	    .locality = locality_of_pod(draft, nodes, object, pod),
	    .is_host_network = pod->spec && pod->spec->has_hostnetwork && pod->spec->hostnetwork,
	};
	struct workload_source source = {
	    .object = object,
	    .pod = pod,
	    .workload = workload,
	    .is_ready = is_ready(pod),
	};
	const char *network = object_label(object, LABEL_NETWORK);
	set_endpoint(draft->arena, &source, workload_name_of_pod(draft->arena, object), network ? network : "");
	return source;
}

/* Labels of the entry's spec; those of its metadata say nothing about the workload. */
static struct workload_source source_of_entry(struct draft *draft, const struct object *object,
                                              const istio_workload_entry *entry)
{
	struct arena *arena = draft->arena;
	struct workload *workload = ARENA_NEW(arena, struct workload);
	*workload = (struct workload){
	    .name = object->name,
	    .namespace = object->namespace,
	    .service_account = entry->service_account,
	    .labels = ISTIO_LABELS(arena, entry, labels),
	    .locality = workloads_locality_of_entry(arena, entry),
	};
	const char *address = address_canonical(arena, entry->address);
	if (!address)
		address = entry->address; /* a host name or a Unix socket */
	if (*address) {
		const char **v = ARENA_NEW(arena, const char *);
		*v = address;
		workload->addresses = (struct strings){v, 1};
	}
	struct workload_source source = {
	    .object = object,
	    .entry = entry,
	    .workload = workload,
	    .is_ready = true,
	};
	set_endpoint(arena, &source, object->name, entry->network);
	return source;
}

static void index_pod(struct draft *draft, struct workloads *workloads, struct workload_source *source)
{
	for (size_t i = 0; i < source->workload->addresses.n; i++) {
		void **slot = map_slot(draft->arena, &workloads->pods_by_address, source->workload->addresses.v[i]);
		if (!*slot || !source->workload->is_host_network)
			*slot = source;
	}
}

static void add_pods(struct draft *draft, struct workloads *workloads)
{
	const struct snapshot_kind *kind = &draft->snapshot->kinds[KIND_POD];
	const struct map nodes = localities_of_nodes(draft);
	workloads->pods = ARENA_NEW_N(draft->arena, struct workload_source, kind->n);
	for (size_t i = 0; i < kind->n; i++) {
		const k8s_pod *pod = (const k8s_pod *)kind->v[i]->message;
		if (!has_ended(pod))
			workloads->pods[workloads->n_pods++] = source_of_pod(draft, &nodes, kind->v[i], pod);
	}
	for (size_t i = 0; i < workloads->n_pods; i++) {
		index_pod(draft, workloads, &workloads->pods[i]);
		VEC_PUSH(draft->arena, &draft->workloads, workloads->pods[i].workload);
	}
}

static void add_entries(struct draft *draft, struct workloads *workloads)
{
	const struct snapshot_kind *kind = &draft->snapshot->kinds[KIND_WORKLOAD_ENTRY];
	workloads->entries = ARENA_NEW_N(draft->arena, struct workload_source, kind->n);
	for (size_t i = 0; i < kind->n; i++) {
		const istio_workload_entry *entry = (const istio_workload_entry *)kind->v[i]->message;
		workloads->entries[workloads->n_entries++] = source_of_entry(draft, kind->v[i], entry);
		VEC_PUSH(draft->arena, &draft->workloads, workloads->entries[i].workload);
	}
}

static int compare_to(const struct workload_source *source, const char *namespace, const char *name)
{
	int order = strcmp(source->object->namespace, namespace);
	return order ? order : strcmp(source->object->name, name);
}

/* The first at or after (namespace, name). */
static size_t lower_bound(const struct workload_source *v, size_t n, const char *namespace, const char *name)
{
	size_t low = 0;
	while (n > 0) {
		size_t half = n / 2;
		if (compare_to(&v[low + half], namespace, name) < 0) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return low;
}

const struct workload_source *workloads_pod(const struct workloads *workloads, const char *namespace, const char *name)
{
	size_t at = lower_bound(workloads->pods, workloads->n_pods, namespace, name);
	return at < workloads->n_pods && compare_to(&workloads->pods[at], namespace, name) == 0 ? &workloads->pods[at]
	                                                                                        : NULL;
}

const struct workload_source *workloads_pod_at(const struct workloads *workloads, const char *address)
{
	return map_get(&workloads->pods_by_address, address);
}

/* ---- by label ---- */

struct label_list {
	VEC(const struct workload_source *) sources;
};

static const char *label_key(struct arena *arena, const char *namespace, const struct label *label)
{
	return arena_printf(arena, "%s/%s=%s", namespace, label->key, label->value);
}

static void index_labels(struct arena *arena, struct map *map, const struct workload_source *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < v[i].workload->labels.n; j++) {
			const char *key = label_key(arena, v[i].workload->namespace, &v[i].workload->labels.v[j]);
			void **slot = map_slot(arena, map, key);
			if (!*slot)
				*slot = ARENA_NEW(arena, struct label_list);
			struct label_list *list = *slot;
			VEC_PUSH(arena, &list->sources, &v[i]);
		}
}

static struct workload_selection select_from(struct arena *arena, const struct map *map, const char *namespace,
                                             const struct labels *selector)
{
	const struct label_list *rarest = NULL;
	for (size_t i = 0; i < selector->n && map->n; i++) {
		const struct label_list *list = map_get(map, label_key(arena, namespace, &selector->v[i]));
		if (!list)
			return (struct workload_selection){NULL, 0};
		if (!rarest || list->sources.n < rarest->sources.n)
			rarest = list;
	}
	VEC(const struct workload_source *) selection = {0};
	for (size_t i = 0; rarest && i < rarest->sources.n; i++)
		if (labels_match(selector, &rarest->sources.v[i]->workload->labels))
			VEC_PUSH(arena, &selection, rarest->sources.v[i]);
	return (struct workload_selection){selection.v, selection.n};
}

struct workload_selection workloads_select_pods(struct arena *arena, const struct workloads *workloads,
                                                const char *namespace, const struct labels *selector)
{
	return select_from(arena, &workloads->pods_by_label, namespace, selector);
}

struct workload_selection workloads_select_entries(struct arena *arena, const struct workloads *workloads,
                                                   const char *namespace, const struct labels *selector)
{
	return select_from(arena, &workloads->entries_by_label, namespace, selector);
}

static bool has_selecting_service_entry(const struct snapshot *snapshot)
{
	const struct snapshot_kind *kind = &snapshot->kinds[KIND_SERVICE_ENTRY];
	for (size_t i = 0; i < kind->n; i++)
		if (((const istio_service_entry *)kind->v[i]->message)->workload_selector)
			return true;
	return false;
}

void resolve_workloads(struct draft *draft)
{
	struct workloads *workloads = ARENA_NEW(draft->arena, struct workloads);
	add_pods(draft, workloads);
	add_entries(draft, workloads);
	index_labels(draft->arena, &workloads->entries_by_label, workloads->entries, workloads->n_entries);
	/* Pods are many, and Kubernetes itself selects them for Services. */
	if (has_selecting_service_entry(draft->snapshot))
		index_labels(draft->arena, &workloads->pods_by_label, workloads->pods, workloads->n_pods);
	draft->istio->workloads = workloads;
}
