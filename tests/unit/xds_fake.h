#pragma once
/*
 * A proxy and a transport for tests of the xDS server's streams, in one form or the other, with a clock that stands
 * still. The proxy keeps what it was sent as Envoy does, so a script can say what it has whichever form it speaks:
 *
 *     world_config(&world, "CDS a=1 b=1 | EDS a=1 b=1 | LDS l=1 | RDS r=1 | CDS' in=1")     CDS': of the workload
 *     proxy_state(&proxy)  "CDS a=1 b=1 in=1 | EDS a=1"
 *     proxy_log(&proxy)    "CDS a=1 b=1 | EDS -a" : what came since the last call, one response after the other
 */
#include "base/vec.h"
#include "proto/envoy.h"
#include "proto/pack.h"
#include "server/xds/stream.h"
#include "unit.h"

#include <stdio.h>

#define UNUSED __attribute__((unused))
#define FAKE_ITEMS 256

static const char *const fake_types[] = {"CDS", "EDS", "SDS", "LDS", "RDS"};

struct world {
	struct clock clock;
	struct xds_stats stats;
	struct stream_env env;
	struct arena *arena;
};

UNUSED static void world_init(struct world *world)
{
	*world = (struct world){.clock = clock_fake(1000 * CLOCK_S), .arena = arena_new()};
	struct name_table *names = name_table_new();
	world->env = (struct stream_env){
	    .clock = &world->clock,
	    .shared = {.sets = set_cache_new(&world->clock, names), .names = names},
	    .ack_wait_ns = 5 * CLOCK_S,
	    .stats = &world->stats,
	};
}

UNUSED static void world_done(struct world *world)
{
	set_cache_free(world->env.shared.sets);
	ck_assert_uint_eq(name_table_count(world->env.shared.names), 0);
	name_table_free(world->env.shared.names);
	arena_free(world->arena);
}

UNUSED static enum resource_type fake_type(const char *name)
{
	for (enum resource_type type = 0; type < RESOURCE_TYPE_COUNT; type++)
		if (strncmp(fake_types[type], name, 3) == 0)
			return type;
	ck_abort_msg("no type %s", name);
}

/* "a=1": the resource a, whose content is the text itself. */
UNUSED static struct resource *fake_resource(enum resource_type type, const char *item)
{
	char name[64];
	snprintf(name, sizeof name, "%.*s", (int)strcspn(item, "="), item);
	return resource_new(type, name, item, strlen(item));
}

/* "a=1 b=2"; NULL for nothing. A reference is the caller's. */
UNUSED static struct resource_set *fake_set(enum resource_type type, const char *items)
{
	struct resource *v[FAKE_ITEMS];
	size_t n = 0;
	char *copy = strdup(items), *rest = copy, *item;
	while ((item = strsep(&rest, " ")))
		if (*item)
			v[n++] = fake_resource(type, item);
	free(copy);
	return n ? resource_set_new(type, v, n) : NULL;
}

UNUSED static struct proxy_config *world_config(struct world *world, const char *spec)
{
	struct resource_set *parts[2][RESOURCE_TYPE_COUNT] = {0};
	char *rest = arena_strdup(world->arena, spec), *part;
	while ((part = strsep(&rest, "|"))) {
		part += strspn(part, " ");
		bool is_workload = part[3] == '\'';
		parts[is_workload][fake_type(part)] = fake_set(fake_type(part), part + 3 + is_workload);
	}
	struct proxy_config *config = proxy_config_new(parts[0], (struct digest){0}, parts[1], (struct digest){0});
	for (size_t i = 0; i < 2 * RESOURCE_TYPE_COUNT; i++)
		if ((&parts[0][0])[i])
			resource_set_unref((&parts[0][0])[i]);
	return config;
}

struct proxy_item {
	char name[64], content[64], version[64];
};

/* What the proxy holds, and the response it has not answered yet. */
struct proxy_type {
	bool is_open;
	VEC(const char *) names; /* state of the world: the list */
	struct proxy_item items[FAKE_ITEMS];
	size_t n;
	char nonce[32], version[64];
	bool has_response;
	struct proxy_item added[FAKE_ITEMS];
	size_t n_added;
	char removed[FAKE_ITEMS][64];
	size_t n_removed;
};

struct proxy {
	struct transport_stream base;
	struct world *world;
	struct stream *stream;
	enum request_form form;
	bool is_node_sent, is_manual, is_stuck; /* manual: the script answers; stuck: nothing leaves the server */
	struct proxy_type types[RESOURCE_TYPE_COUNT];
	struct text message; /* on its way */
	bool has_message;
	int status; /* -1: open */
	char status_message[256];
	struct text log;
};

static const struct transport_ops proxy_ops;

UNUSED static void proxy_connect(struct proxy *proxy)
{
	size_t method = proxy->form == REQUEST_SOTW ? 0 : 1;
	proxy->stream = stream_new(&proxy->world->env, &proxy->base, &stream_methods[method]);
	proxy->is_node_sent = proxy->has_message = false;
	proxy->status = -1;
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++) {
		proxy->types[i].is_open = proxy->types[i].has_response = false;
		proxy->types[i].nonce[0] = '\0';
	}
}

UNUSED static void proxy_init(struct proxy *proxy, struct world *world, enum request_form form)
{
	*proxy = (struct proxy){.base.ops = &proxy_ops, .world = world, .form = form};
	proxy_connect(proxy);
}

UNUSED static void proxy_done(struct proxy *proxy)
{
	stream_free(proxy->stream);
	text_done(&proxy->message);
	text_done(&proxy->log);
}

static void proxy_ops_send(struct transport_stream *base, struct buffer *const *parts, size_t n_parts)
{
	struct proxy *proxy = (struct proxy *)base;
	ck_assert_msg(!proxy->has_message, "a message before the last one left");
	ck_assert_uint_le(n_parts, TRANSPORT_PARTS_MAX);
	proxy->message.n = 0;
	for (size_t i = 0; i < n_parts; i++)
		text_add_n(&proxy->message, parts[i]->data, parts[i]->n);
	proxy->has_message = true;
}

static void proxy_ops_finish(struct transport_stream *base, enum transport_status status, const char *message)
{
	struct proxy *proxy = (struct proxy *)base;
	ck_assert_int_eq(proxy->status, -1);
	proxy->status = (int)status;
	snprintf(proxy->status_message, sizeof proxy->status_message, "%s", message);
}

static void proxy_ops_peer(struct transport_stream *base, struct text *out)
{
	(void)base;
	text_add(out, "test:1");
}

static const struct transport_ops proxy_ops = {proxy_ops_send, proxy_ops_finish, proxy_ops_peer};

/* ---- responses ---- */

static void proxy_add(struct proxy_type *type, const char *name, const char *version, const google_any *any,
                      enum resource_type expected)
{
	struct proxy_item *item = &type->added[type->n_added++];
	ck_assert_str_eq(any->type_url, resource_types[expected].type_url);
	/* a load assignment without endpoints is made by the server itself: field 1, the name */
	bool is_empty = any->value.len > 2 && any->value.data[0] == 0x0a;
	const char *data = (const char *)any->value.data + (is_empty ? 2 : 0);
	int n = (int)any->value.len - (is_empty ? 2 : 0);
	snprintf(item->content, sizeof item->content, "%.*s%s", n, data, is_empty ? "=" : "");
	*stpncpy(item->name, item->content, strcspn(item->content, "=")) = '\0';
	snprintf(item->version, sizeof item->version, "%s", version);
	if (name)
		ck_assert_str_eq(item->name, name);
}

static enum resource_type proxy_decode(struct proxy *proxy, struct arena *arena)
{
	const uint8_t *data = (const uint8_t *)proxy->message.s;
	size_t n = proxy->message.n;
	const char *type_url, *nonce, *version;
	enum resource_type found = 0;
	struct proxy_type *type;
	if (proxy->form == REQUEST_SOTW) {
		const envoy_discovery_response *response =
		    (const envoy_discovery_response *)unpack_own(arena, envoy_discovery_response_type(), data, n);
		type_url = response->type_url, nonce = response->nonce, version = response->version_info;
		while (strcmp(resource_types[found].type_url, type_url) != 0)
			found++;
		type = &proxy->types[found];
		type->n_added = type->n_removed = 0;
		for (size_t i = 0; i < response->n_resources; i++)
			proxy_add(type, NULL, "", response->resources[i], found);
	} else {
		const envoy_delta_discovery_response *response = (const envoy_delta_discovery_response *)unpack_own(
		    arena, envoy_delta_discovery_response_type(), data, n);
		type_url = response->type_url, nonce = response->nonce, version = response->system_version_info;
		while (strcmp(resource_types[found].type_url, type_url) != 0)
			found++;
		type = &proxy->types[found];
		type->n_added = type->n_removed = 0;
		for (size_t i = 0; i < response->n_resources; i++)
			proxy_add(type, response->resources[i]->name, response->resources[i]->version,
			          response->resources[i]->resource, found);
		for (size_t i = 0; i < response->n_removed_resources; i++)
			snprintf(type->removed[type->n_removed++], 64, "%s", response->removed_resources[i]);
	}
	ck_assert_msg(!type->has_response, "a second %s response before the first was answered", fake_types[found]);
	type->has_response = true;
	snprintf(type->nonce, sizeof type->nonce, "%s", nonce);
	snprintf(type->version, sizeof type->version, "%s", version);
	return found;
}

static void proxy_log_response(struct proxy *proxy, enum resource_type found)
{
	const struct proxy_type *type = &proxy->types[found];
	text_printf(&proxy->log, "%s%s", proxy->log.n ? " | " : "", fake_types[found]);
	for (size_t i = 0; i < type->n_added; i++)
		text_printf(&proxy->log, " %s", type->added[i].content);
	for (size_t i = 0; i < type->n_removed; i++)
		text_printf(&proxy->log, " -%s", type->removed[i]);
}

static void proxy_type_remove(struct proxy_type *type, const char *name)
{
	for (size_t i = 0; i < type->n; i++) {
		if (strcmp(type->items[i].name, name) == 0) {
			memmove(&type->items[i], &type->items[i + 1], (--type->n - i) * sizeof type->items[0]);
			return;
		}
	}
}

static int proxy_item_compare(const void *a, const void *b)
{
	return strcmp(((const struct proxy_item *)a)->name, ((const struct proxy_item *)b)->name);
}

static void proxy_apply(struct proxy *proxy, enum resource_type found)
{
	struct proxy_type *type = &proxy->types[found];
	if (proxy->form == REQUEST_SOTW && !resource_types[found].is_by_name)
		type->n = 0;
	for (size_t i = 0; i < type->n_added; i++) {
		proxy_type_remove(type, type->added[i].name);
		type->items[type->n++] = type->added[i];
	}
	for (size_t i = 0; i < type->n_removed; i++)
		proxy_type_remove(type, type->removed[i]);
	qsort(type->items, type->n, sizeof type->items[0], proxy_item_compare);
}

/* ---- requests ---- */

/* What the next request is to say, besides the subscription of state of the world, which is in all of them. */
struct proxy_request {
	const char *subscribe, *unsubscribe; /* "a b"; NULL: none */
	const char *error;
	const char *nonce;
	bool has_claims;
};

static size_t proxy_words(struct arena *arena, const char *words, char ***v)
{
	VEC(char *) list = {0};
	char *rest = words ? arena_strdup(arena, words) : NULL, *word;
	while ((word = strsep(&rest, " ")))
		if (*word)
			VEC_PUSH(arena, &list, word);
	*v = list.v;
	return list.n;
}

static envoy_node *proxy_node(struct proxy *proxy, struct arena *arena)
{
	static char id[] = "sidecar~10.0.0.1~app-1.default~default.svc.cluster.local";
	if (proxy->is_node_sent)
		return NULL;
	proxy->is_node_sent = true;
	envoy_node *node = envoy_node_new(arena);
	node->id = id;
	return node;
}

static google_status *proxy_error(struct arena *arena, const char *message)
{
	if (!message)
		return NULL;
	google_status *status = google_status_new(arena);
	status->code = 3;
	status->message = arena_strdup(arena, message);
	return status;
}

static struct bytes proxy_pack_delta(struct proxy *proxy, struct arena *arena, enum resource_type found,
                                     const struct proxy_request *request)
{
	const struct proxy_type *type = &proxy->types[found];
	envoy_delta_discovery_request *message = envoy_delta_discovery_request_new(arena);
	message->node = proxy_node(proxy, arena);
	message->type_url = arena_strdup(arena, resource_types[found].type_url);
	message->response_nonce = arena_strdup(arena, request->nonce ? request->nonce : "");
	message->error_detail = proxy_error(arena, request->error);
	message->n_resource_names_subscribe =
	    proxy_words(arena, request->subscribe, &message->resource_names_subscribe);
	message->n_resource_names_unsubscribe =
	    proxy_words(arena, request->unsubscribe, &message->resource_names_unsubscribe);
	for (size_t i = 0; request->has_claims && i < type->n; i++) {
		Envoy__Service__Discovery__V3__DeltaDiscoveryRequest__InitialResourceVersionsEntry *entry =
		    arena_alloc(arena, sizeof *entry);
		envoy__service__discovery__v3__delta_discovery_request__initial_resource_versions_entry__init(entry);
		entry->key = arena_strdup(arena, type->items[i].name);
		entry->value = arena_strdup(arena, type->items[i].version);
		BUILD_ADD(arena, message, initial_resource_versions, entry);
	}
	return pack(arena, &message->base);
}

static struct bytes proxy_pack_sotw(struct proxy *proxy, struct arena *arena, enum resource_type found,
                                    const struct proxy_request *request)
{
	struct proxy_type *type = &proxy->types[found];
	envoy_discovery_request *message = envoy_discovery_request_new(arena);
	message->node = proxy_node(proxy, arena);
	message->type_url = arena_strdup(arena, resource_types[found].type_url);
	message->response_nonce = arena_strdup(arena, request->nonce ? request->nonce : "");
	message->error_detail = proxy_error(arena, request->error);
	for (size_t i = 0; i < type->names.n; i++)
		BUILD_ADD(arena, message, resource_names, arena_strdup(arena, type->names.v[i]));
	return pack(arena, &message->base);
}

static void proxy_change_names(struct proxy *proxy, struct proxy_type *type, const struct proxy_request *request)
{
	struct arena *arena = proxy->world->arena;
	char **v;
	size_t n = proxy_words(arena, request->unsubscribe, &v);
	for (size_t i = 0; i < n; i++) {
		proxy_type_remove(type, v[i]);
		for (size_t j = 0; j < type->names.n; j++)
			if (strcmp(type->names.v[j], v[i]) == 0)
				type->names.v[j--] = type->names.v[--type->names.n];
	}
	n = proxy_words(arena, request->subscribe, &v);
	for (size_t i = 0; i < n; i++)
		VEC_PUSH(arena, &type->names, v[i]);
}

static void proxy_pump(struct proxy *proxy);

UNUSED static void proxy_send(struct proxy *proxy, enum resource_type found, const struct proxy_request *request)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct proxy_type *type = &proxy->types[found];
	type->is_open = true;
	proxy_change_names(proxy, type, request);
	struct bytes bytes = proxy->form == REQUEST_SOTW ? proxy_pack_sotw(proxy, arena, found, request)
	                                                 : proxy_pack_delta(proxy, arena, found, request);
	stream_message(proxy->stream, bytes.data, bytes.n);
	proxy_pump(proxy);
}

UNUSED static void proxy_subscribe(struct proxy *proxy, const char *type, const char *names)
{
	proxy_send(proxy, fake_type(type),
	           &(struct proxy_request){.subscribe = names, .nonce = proxy->types[fake_type(type)].nonce});
}

UNUSED static void proxy_unsubscribe(struct proxy *proxy, const char *type, const char *names)
{
	proxy_send(proxy, fake_type(type),
	           &(struct proxy_request){.unsubscribe = names, .nonce = proxy->types[fake_type(type)].nonce});
}

UNUSED static void proxy_ack(struct proxy *proxy, const char *name)
{
	struct proxy_type *type = &proxy->types[fake_type(name)];
	ck_assert_msg(type->has_response, "no %s response to acknowledge", name);
	type->has_response = false;
	proxy_apply(proxy, fake_type(name));
	proxy_send(proxy, fake_type(name), &(struct proxy_request){.nonce = type->nonce});
}

UNUSED static void proxy_nack(struct proxy *proxy, const char *name, const char *error)
{
	struct proxy_type *type = &proxy->types[fake_type(name)];
	ck_assert_msg(type->has_response, "no %s response to refuse", name);
	type->has_response = false;
	proxy_send(proxy, fake_type(name), &(struct proxy_request){.nonce = type->nonce, .error = error});
}

/* Takes what comes, and acknowledges it unless the script does that. */
static void proxy_pump(struct proxy *proxy)
{
	while (proxy->has_message && !proxy->is_stuck) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		enum resource_type type = proxy_decode(proxy, arena);
		proxy_log_response(proxy, type);
		proxy->has_message = false;
		stream_ready(proxy->stream);
		if (!proxy->is_manual)
			proxy_ack(proxy, fake_types[type]);
	}
}

/* As after a broken connection: everything again, in Envoy's order. */
UNUSED static void proxy_reconnect(struct proxy *proxy)
{
	stream_free(proxy->stream);
	proxy_connect(proxy);
}

UNUSED static void proxy_config(struct proxy *proxy, const char *spec)
{
	struct proxy_config *config = world_config(proxy->world, spec);
	stream_set_config(proxy->stream, config);
	proxy_config_unref(config);
	proxy_pump(proxy);
}

UNUSED static void proxy_wait(struct proxy *proxy, int64_t ms)
{
	proxy->world->clock.now_ns += ms * CLOCK_MS;
	if (proxy->stream->deadline_ns <= proxy->world->clock.now_ns)
		stream_work(proxy->stream);
	proxy_pump(proxy);
}

UNUSED static const char *proxy_state(struct proxy *proxy)
{
	struct text out = {0};
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++) {
		const struct proxy_type *type = &proxy->types[i];
		if (!type->n)
			continue;
		text_printf(&out, "%s%s", out.n ? " | " : "", fake_types[i]);
		for (size_t j = 0; j < type->n; j++)
			text_printf(&out, " %s", type->items[j].content);
	}
	const char *state = arena_strdup(proxy->world->arena, text_get(&out));
	text_done(&out);
	return state;
}

UNUSED static const char *proxy_log(struct proxy *proxy)
{
	const char *log = arena_strdup(proxy->world->arena, text_get(&proxy->log));
	text_done(&proxy->log);
	proxy->log = (struct text){0};
	return log;
}

/* ---- scripts ---- */

/* Each script runs in both forms; what a proxy has at the end, and the order in which types came, must not depend on
 * it. */
#define BOTH_FORMS(form) for (enum request_form form = REQUEST_SOTW; (form) <= REQUEST_DELTA; (form)++)
#define IS_SOTW(proxy) ((proxy).form == REQUEST_SOTW)
/* What a response holds does differ. */
#define LOG(proxy, sotw, delta) ck_assert_str_eq(proxy_log(&(proxy)), IS_SOTW(proxy) ? (sotw) : (delta))

/* A proxy that has "CDS a=1 in=1 | EDS a=1 | LDS l=1 | RDS r=1". */
UNUSED static const char *const START = "CDS a=1 | EDS a=1 | LDS l=1 | RDS r=1 | CDS' in=1";

UNUSED static void start_with(struct proxy *proxy, struct world *world, enum request_form form, const char *config)
{
	world_init(world);
	proxy_init(proxy, world, form);
	proxy_subscribe(proxy, "CDS", NULL);
	proxy_config(proxy, config);
}

UNUSED static void start(struct proxy *proxy, struct world *world, enum request_form form)
{
	start_with(proxy, world, form, START);
	proxy_subscribe(proxy, "EDS", "a");
	proxy_subscribe(proxy, "LDS", NULL);
	proxy_subscribe(proxy, "RDS", "r");
	ck_assert_str_eq(proxy_state(proxy), "CDS a=1 in=1 | EDS a=1 | LDS l=1 | RDS r=1");
	proxy_log(proxy);
}

UNUSED static void stop(struct proxy *proxy, struct world *world)
{
	proxy_done(proxy);
	world_done(world);
}
