#include "server/identity/keeper.h"

#include "tests/unit/authorities.h"

#include <string.h>

/* A keeper whose authority is in a Secret, and the API server made up. */
struct fixture {
	struct clock clock;
	struct signer_cell *signers;
	struct kube_secret_cell *plugged, *own, *kept;
	struct kube_secret_poll *plugged_poll, *own_poll;
	struct keeper *keeper;
};

static void on_change(void *context)
{
	(void)context;
}

static struct kube_secret_poll *poll_of(struct fixture *fixture, const char *name, struct kube_secret_cell *cell)
{
	return kube_secret_poll_new(&(struct kube_secret_poll_options){
	    .namespace = "istio-system", .name = name, .cell = cell, .clock = &fixture->clock, .on_change = on_change});
}

static void init(struct fixture *fixture)
{
	*fixture = (struct fixture){.clock = clock_at(NOW_S)};
	fixture->clock.wall_ns = NOW_S * CLOCK_S;
	fixture->signers = signer_cell_new();
	fixture->plugged = kube_secret_cell_new(NULL);
	fixture->own = kube_secret_cell_new(NULL);
	fixture->kept = kube_secret_cell_new(NULL);
	fixture->plugged_poll = poll_of(fixture, ORIGIN_PLUGGED_SECRET, fixture->plugged);
	fixture->own_poll = poll_of(fixture, ORIGIN_OWN_SECRET, fixture->own);
	fixture->keeper = keeper_new(&(struct keeper_options){.origin = {.root_namespace = "istio-system"},
	                                                      .plugged = fixture->plugged,
	                                                      .own = fixture->own,
	                                                      .kept = fixture->kept,
	                                                      .lifetime = {20, 100},
	                                                      .cell = fixture->signers,
	                                                      .clock = &fixture->clock,
	                                                      .replica = "a"});
	keeper_set_trust_domain(fixture->keeper, "cluster.local");
}

static void done(struct fixture *fixture)
{
	keeper_free(fixture->keeper);
	kube_secret_poll_free(fixture->plugged_poll);
	kube_secret_poll_free(fixture->own_poll);
	kube_secret_cell_free(fixture->plugged);
	kube_secret_cell_free(fixture->own);
	kube_secret_cell_free(fixture->kept);
	signer_cell_free(fixture->signers);
}

/* What is asked next; its body in out. */
static void expect(struct kube_secret_poll *poll, const char *method, struct text *out)
{
	int64_t at_ns = 0;
	const struct kube_request *request = kube_secret_poll_next(poll, &at_ns);
	ck_assert_msg(request != NULL, "no %s", method);
	ck_assert_str_eq(request->method, method);
	out->n = 0;
	text_add_n(out, request->body, request->n_body);
}

static void answer(struct kube_secret_poll *poll, int status, const char *body)
{
	ck_assert(kube_secret_poll_body(poll, body, strlen(body)));
	kube_secret_poll_ended(poll, &(struct kube_response){.status = status, .error = "", .body = ""});
}

START_TEST(a_record_that_a_note_came_before_is_written_again)
{
	struct fixture fixture;
	struct error error;
	CLEANUP(text_done) struct text body = {0}, secret = {0};
	init(&fixture);
	expect(fixture.plugged_poll, "GET", &body);
	answer(fixture.plugged_poll, 404, "");
	expect(fixture.own_poll, "GET", &body);
	answer(fixture.own_poll, 404, "");
	keeper_move(fixture.keeper);
	expect(fixture.own_poll, "POST", &body); /* the root is made */
	answer(fixture.own_poll, 201, "");
	const char *data = strstr(body.s, "\"data\"");
	ck_assert_ptr_nonnull(data);
	text_printf(&secret, "{\"metadata\":{\"resourceVersion\":\"1\"},%s", data);
	expect(fixture.own_poll, "GET", &body);
	answer(fixture.own_poll, 200, secret.s);
	keeper_move(fixture.keeper);
	ck_assert_msg(keeper_command(fixture.keeper, KEEPER_ROTATE, &error), "%s", error.message);
	expect(fixture.own_poll, "PATCH", &body);
	ck_assert_ptr_nonnull(strstr(body.s, "\"resourceVersion\":\"1\""));
	answer(fixture.own_poll, 409, ""); /* another replica has changed its note meanwhile */
	expect(fixture.own_poll, "GET", &body);
	memcpy(strstr(secret.s, "\"1\""), "\"2\"", 3);
	answer(fixture.own_poll, 200, secret.s);
	keeper_move(fixture.keeper);
	expect(fixture.own_poll, "PATCH", &body);
	ck_assert_ptr_nonnull(strstr(body.s, "\"resourceVersion\":\"2\""));
	ck_assert_ptr_nonnull(strstr(body.s, "next-ca-key.pem"));
	done(&fixture);
}
END_TEST

UNIT_MAIN("keeper_secret", a_record_that_a_note_came_before_is_written_again)
