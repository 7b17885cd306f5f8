/* Keys of token issuers on their way through the pipeline. */
#include "base/slot.h"
#include "server/pipeline.h"
#include "tests/unit/config_dir.h"
#include "tests/unit/unit.h"

#include <poll.h>
#include <string.h>

#define WAIT_MS 20000

static const char object[] = "apiVersion: security.istio.io/v1\n"
                             "kind: RequestAuthentication\n"
                             "metadata: {name: a, namespace: default}\n"
                             "spec: {jwtRules: [{issuer: a, jwksUri: 'https://a/keys'}]}\n";

struct fixture {
	struct config_dir dir;
	const char *paths[1];
	struct slot *generations, *wanted;
	struct pipeline *pipeline;
};

static void drop_generation(void *generation)
{
	generation_unref(generation);
}

static void drop_sources(void *sources)
{
	key_sets_unref(sources);
}

static void on_generation(void *context, struct generation *generation)
{
	const struct fixture *fixture = context;
	slot_put(fixture->generations, generation);
}

static void on_key_sources(void *context, const struct key_source *v, size_t n)
{
	const struct fixture *fixture = context;
	ck_assert_uint_eq(n, 1);
	slot_put(fixture->wanted, key_sets_new(&(struct key_set){.source = v[0]}, 1));
}

static void *wait_for(struct slot *slot)
{
	for (;;) {
		struct pollfd ready = {.fd = slot_fd(slot), .events = POLLIN};
		ck_assert_int_eq(poll(&ready, 1, WAIT_MS), 1);
		void *value = slot_take(slot);
		if (value)
			return value;
	}
}

static void send_keys(const struct fixture *fixture, const char *keys)
{
	const struct key_set set = {
	    .source = {.url = "https://a/keys"}, .keys = keys, .keys_n = keys ? strlen(keys) : 0};
	pipeline_key_sets(fixture->pipeline, key_sets_new(&set, 1));
}

static void expect_keys(const struct fixture *fixture, const char *want)
{
	struct generation *generation = wait_for(fixture->generations);
	const char *got = generation->model->request_authentications[0]->rules[0].keys;
	ck_assert_msg(want ? got && strcmp(got, want) == 0 : !got, "%s", got ? got : "none");
	generation_unref(generation);
}

static void fixture_init(struct fixture *fixture)
{
	struct error error;
	*fixture = (struct fixture){.generations = slot_new(drop_generation), .wanted = slot_new(drop_sources)};
	config_dir_init(&fixture->dir);
	config_dir_write(&fixture->dir, "a.yaml", object);
	fixture->paths[0] = fixture->dir.path;
	fixture->pipeline = pipeline_new(
	    &(struct pipeline_options){
	        .files = {.paths = fixture->paths, .n_paths = 1, .root_namespace = "istio-system"},
	        .on_generation = on_generation,
	        .on_key_sources = on_key_sources,
	        .context = fixture},
	    &error);
	ck_assert_msg(fixture->pipeline != NULL, "%s", error.message);
	pipeline_start(fixture->pipeline);
	struct key_sets *wanted = wait_for(fixture->wanted);
	ck_assert_str_eq(wanted->v[0].source.url, "https://a/keys");
	key_sets_unref(wanted);
}

static void fixture_done(struct fixture *fixture)
{
	pipeline_free(fixture->pipeline);
	slot_free(fixture->generations);
	slot_free(fixture->wanted);
	config_dir_done(&fixture->dir);
}

START_TEST(first_generation_waits_for_the_keys)
{
	struct fixture fixture;
	fixture_init(&fixture);
	ck_assert(slot_take(fixture.generations) == NULL);
	send_keys(&fixture, "{1}");
	expect_keys(&fixture, "{1}");
	send_keys(&fixture, "{2}");
	expect_keys(&fixture, "{2}");
	fixture_done(&fixture);
}
END_TEST

START_TEST(first_generation_comes_when_the_issuer_was_asked_in_vain)
{
	struct fixture fixture;
	fixture_init(&fixture);
	send_keys(&fixture, NULL);
	expect_keys(&fixture, NULL);
	send_keys(&fixture, "{1}");
	expect_keys(&fixture, "{1}");
	fixture_done(&fixture);
}
END_TEST

START_TEST(stops_without_a_generation_while_it_waits_for_keys)
{
	struct fixture fixture;
	fixture_init(&fixture);
	pipeline_stop(fixture.pipeline);
	ck_assert(slot_take(fixture.generations) == NULL);
	fixture_done(&fixture);
}
END_TEST

UNIT_MAIN("pipeline_keys", first_generation_waits_for_the_keys,
          first_generation_comes_when_the_issuer_was_asked_in_vain, stops_without_a_generation_while_it_waits_for_keys)
