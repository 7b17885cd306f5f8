#include "server/source/kube/kube_lease.h"

#include "base/heap.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

enum step {
	STEP_GET,    /* look who has it */
	STEP_CREATE, /* there is none */
	STEP_UPDATE, /* take or renew it */
};

struct kube_lease {
	char *namespace, *name, *identity;
	const struct clock *clock;
	unsigned seed;

	enum step step;
	bool is_under_way;
	int64_t at_ns;
	int64_t begun_ns; /* when the request under way was */
	int64_t held_ns;  /* when the last renewal that succeeded began; 0: not the holder */

	/* the lease as last seen */
	char *holder, *resource_version, *acquire_time, *renew_time;
	int64_t transitions;
	int64_t duration_ns;
	int64_t changed_ns; /* when it was first seen as it is, by our clock */

	struct kube_request request;
	struct text path, body;
};

struct kube_lease *kube_lease_new(const struct kube_lease_options *options)
{
	struct kube_lease *lease = HEAP_NEW(struct kube_lease);
	*lease = (struct kube_lease){
	    .namespace = heap_strdup(options->namespace),
	    .name = heap_strdup(options->name),
	    .identity = heap_strdup(options->identity),
	    .clock = options->clock,
	    .seed = options->seed,
	    .holder = heap_strdup(""),
	    .resource_version = heap_strdup(""),
	    .acquire_time = heap_strdup(""),
	    .renew_time = heap_strdup(""),
	};
	return lease;
}

void kube_lease_free(struct kube_lease *lease)
{
	if (!lease)
		return;
	free(lease->namespace);
	free(lease->name);
	free(lease->identity);
	free(lease->holder);
	free(lease->resource_version);
	free(lease->acquire_time);
	free(lease->renew_time);
	text_done(&lease->path);
	text_done(&lease->body);
	free(lease);
}

static int64_t now(const struct kube_lease *lease)
{
	return clock_now_ns(lease->clock);
}

bool kube_lease_is_held(const struct kube_lease *lease)
{
	return lease->held_ns && now(lease) - lease->held_ns < KUBE_LEASE_HOLD_S * CLOCK_S;
}

/* ---- requests ---- */

static void print_lease(const struct kube_lease *lease, const char *holder, struct text *out)
{
	char time[CLOCK_TEXT];
	bool is_ours = !strcmp(lease->holder, lease->identity);
	int64_t transitions = lease->transitions + (!is_ours && *lease->resource_version);

	clock_print(clock_wall_ns(lease->clock), 6, time); /* MicroTime */
	text_printf(out, "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":\"%s\"",
	            lease->name);
	text_add_json_member(out, "namespace", lease->namespace);
	if (*lease->resource_version)
		text_add_json_member(out, "resourceVersion", lease->resource_version);
	text_printf(out, "},\"spec\":{\"leaseDurationSeconds\":%d,\"leaseTransitions\":%lld", KUBE_LEASE_DURATION_S,
	            (long long)transitions);
	text_add_json_member(out, "holderIdentity", holder);
	text_add_json_member(out, "acquireTime", is_ours && *lease->acquire_time ? lease->acquire_time : time);
	text_add_json_member(out, "renewTime", time);
	text_add(out, "}}");
}

static const struct kube_request *request(struct kube_lease *lease, const char *method, const char *holder)
{
	lease->path.n = lease->body.n = 0;
	text_printf(&lease->path, "/apis/coordination.k8s.io/v1/namespaces/%s/leases", lease->namespace);
	if (lease->step != STEP_CREATE)
		text_printf(&lease->path, "/%s", lease->name);
	if (holder)
		print_lease(lease, holder, &lease->body);
	lease->request = (struct kube_request){
	    .method = method,
	    .path = lease->path.s,
	    .content_type = holder ? "application/json" : NULL,
	    .body = text_get(&lease->body),
	    .n_body = lease->body.n,
	    .timeout_ms = KUBE_LEASE_TIMEOUT_MS,
	};
	lease->is_under_way = true;
	lease->begun_ns = now(lease);
	return &lease->request;
}

const struct kube_request *kube_lease_next(struct kube_lease *lease, int64_t *at_ns)
{
	static const char *const methods[] = {[STEP_GET] = "GET", [STEP_CREATE] = "POST", [STEP_UPDATE] = "PUT"};

	*at_ns = lease->is_under_way ? INT64_MAX : lease->at_ns;
	if (now(lease) < *at_ns)
		return NULL;
	return request(lease, methods[lease->step], lease->step == STEP_GET ? NULL : lease->identity);
}

const struct kube_request *kube_lease_release(struct kube_lease *lease)
{
	if (!kube_lease_is_held(lease))
		return NULL;
	lease->held_ns = 0;
	lease->step = STEP_UPDATE;
	return request(lease, "PUT", "");
}

/* ---- answers ---- */

static void set(char **string, const char *value)
{
	free(*string);
	*string = heap_strdup(value ? value : "");
}

static int64_t get_integer(const struct json *object, const char *key)
{
	const struct json *value = json_get(object, key);
	return value && value->type == JSON_INT ? value->integer : 0;
}

/* The lease as the server has it. False: it cannot be read. */
static bool read_lease(struct kube_lease *lease, const struct kube_response *response)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error;
	const struct json *document = json_parse(arena, response->body, strlen(response->body), &error);
	const char *version = json_get_string(json_get(document, "metadata"), "resourceVersion");
	const struct json *spec = json_get(document, "spec");

	if (!version)
		return false;
	if (strcmp(version, lease->resource_version) != 0)
		lease->changed_ns = now(lease);
	set(&lease->resource_version, version);
	set(&lease->holder, json_get_string(spec, "holderIdentity"));
	set(&lease->acquire_time, json_get_string(spec, "acquireTime"));
	set(&lease->renew_time, json_get_string(spec, "renewTime"));
	lease->transitions = get_integer(spec, "leaseTransitions");
	lease->duration_ns = get_integer(spec, "leaseDurationSeconds") * CLOCK_S;
	if (lease->duration_ns <= 0)
		lease->duration_ns = KUBE_LEASE_DURATION_S * CLOCK_S;
	return true;
}

static void wait(struct kube_lease *lease, int64_t s)
{
	int64_t ns = s * CLOCK_S;
	lease->at_ns = now(lease) + ns + (int64_t)((double)ns / 4 * rand_r(&lease->seed) / RAND_MAX);
}

static void look_again(struct kube_lease *lease)
{
	lease->step = STEP_GET;
	wait(lease, KUBE_LEASE_RETRY_S);
}

/* Whose it is now decides what comes next. */
static void decide(struct kube_lease *lease)
{
	bool is_ours = !strcmp(lease->holder, lease->identity);
	bool is_free = !*lease->holder || now(lease) - lease->changed_ns >= lease->duration_ns;

	look_again(lease);
	if (!is_ours && !is_free)
		return;
	lease->step = STEP_UPDATE;
	lease->at_ns = now(lease);
}

static void end_update(struct kube_lease *lease, const struct kube_response *response)
{
	if (!read_lease(lease, response) || strcmp(lease->holder, lease->identity) != 0) {
		look_again(lease);
		return;
	}
	lease->held_ns = lease->begun_ns;
	lease->step = STEP_UPDATE;
	wait(lease, KUBE_LEASE_RENEW_S);
}

void kube_lease_ended(struct kube_lease *lease, const struct kube_response *response)
{
	bool is_good = response->status >= 200 && response->status < 300;
	bool was_get = lease->step == STEP_GET;

	lease->is_under_way = false;
	if (is_good && was_get && read_lease(lease, response)) {
		decide(lease);
	} else if (is_good && !was_get) {
		end_update(lease, response);
	} else if (was_get && response->status == 404) {
		set(&lease->resource_version, "");
		set(&lease->holder, "");
		lease->step = STEP_CREATE;
		lease->at_ns = now(lease);
	} else {
		look_again(lease); /* another was faster, or the server is not well: what we hold runs out by itself */
	}
}
