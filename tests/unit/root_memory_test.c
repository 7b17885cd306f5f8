#include "server/identity/root_memory.h"

#include "tests/unit/authorities.h"

#include <string.h>

/* A Secret at an API server that answers as it is told. */
struct fixture {
	struct clock clock;
	struct kube_secret_cell *cell;
	struct kube_secret_poll *poll;
	struct root_memory *memory;
};

static void on_change(void *context)
{
	(void)context;
}

static void init(struct fixture *fixture)
{
	*fixture = (struct fixture){.clock = clock_at(NOW_S), .cell = kube_secret_cell_new(NULL)};
	fixture->poll = kube_secret_poll_new(&(struct kube_secret_poll_options){.namespace = "istio-system",
	                                                                        .name = KEPT_ROOTS_SECRET,
	                                                                        .cell = fixture->cell,
	                                                                        .clock = &fixture->clock,
	                                                                        .on_change = on_change});
	fixture->memory = root_memory_new(fixture->cell, NULL, &fixture->clock);
}

static void done(struct fixture *fixture)
{
	root_memory_free(fixture->memory);
	kube_secret_poll_free(fixture->poll);
	kube_secret_cell_free(fixture->cell);
}

/* What is asked next, and its answer. body: a part of what is sent. */
static void exchange(struct fixture *fixture, const char *method, const char *body, int status, const char *answer)
{
	int64_t at_ns;
	const struct kube_request *request = kube_secret_poll_next(fixture->poll, &at_ns);
	ck_assert_ptr_nonnull(request);
	ck_assert_str_eq(request->method, method);
	ck_assert_msg(strstr(request->body, body) != NULL, "%s", request->body);
	ck_assert(kube_secret_poll_body(fixture->poll, answer, strlen(answer)));
	kube_secret_poll_ended(fixture->poll,
	                       &(struct kube_response){.status = status, .retry_after_ms = -1, .body = ""});
}

static bool is_quiet(struct fixture *fixture)
{
	int64_t at_ns;
	return kube_secret_poll_next(fixture->poll, &at_ns) == NULL;
}

#define SECRET(version) "{\"metadata\":{\"resourceVersion\":\"" version "\"},\"data\":{}}"

/* Each replica's notes change the Secret every few seconds; who waits as long before a retry may lose each time. */
START_TEST(what_lost_against_another_write_is_written_again_at_once)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	hierarchy_init(&h);
	CLEANUP(kept_roots_done) struct kept_roots kept = {0};
	struct fixture fixture;
	struct error error;
	init(&fixture);
	kept.roots = bundle_of(h.root, &error);
	exchange(&fixture, "GET", "", 200, SECRET("7"));
	ck_assert(root_memory_write(fixture.memory, &kept, &error));
	exchange(&fixture, "PATCH", "\"resourceVersion\":\"7\"", 409, "");
	ck_assert(root_memory_write(fixture.memory, &kept, &error)); /* nobody has read since */
	exchange(&fixture, "GET", "", 200, SECRET("8"));
	ck_assert(root_memory_write(fixture.memory, &kept, &error));
	exchange(&fixture, "PATCH", "\"resourceVersion\":\"8\"", 200, "");
	exchange(&fixture, "GET", "", 200, SECRET("8")); /* not seen yet */
	ck_assert(root_memory_write(fixture.memory, &kept, &error));
	ck_assert(is_quiet(&fixture));
	fixture.clock.now_ns += ROOT_MEMORY_RETRY_S * CLOCK_S;
	exchange(&fixture, "GET", "", 200, SECRET("8"));
	ck_assert(root_memory_write(fixture.memory, &kept, &error));
	exchange(&fixture, "PATCH", "\"resourceVersion\":\"8\"", 200, "");
	done(&fixture);
}
END_TEST

UNIT_MAIN("root_memory", what_lost_against_another_write_is_written_again_at_once)
