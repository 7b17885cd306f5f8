#include "tests/unit/keeper_fixture.h"

#include "base/json.h"
#include "server/identity/keeper_print.h"
#include "server/identity/root_folder.h"

#include <openssl/pem.h>

START_TEST(nothing_is_signed_before_the_trust_domain_is_known)
{
	struct fixture fixture;
	init(&fixture);
	start(&fixture, false, true);
	keeper_set_trust_domain(fixture.keeper, "");
	after(&fixture, 0);
	ck_assert(!fixture.status.has_signer);
	ck_assert(access(fixture.state, F_OK) != 0);
	keeper_set_trust_domain(fixture.keeper, "mesh.example");
	after(&fixture, 0);
	ck_assert(fixture.status.has_signer);
	ck_assert_str_eq(fixture.status.trust_domain, "mesh.example");
	ck_assert_str_eq(fixture.status.note.message, "");
	keeper_set_trust_domain(fixture.keeper, "other.example"); /* the same root goes on */
	struct digest before = signs(&fixture);
	after(&fixture, 1);
	ck_assert_str_eq(fixture.status.trust_domain, "other.example");
	ck_assert(digest_equal(before, signs(&fixture)));
	done(&fixture);
}
END_TEST

START_TEST(without_a_place_there_is_none)
{
	struct fixture fixture;
	init(&fixture);
	start(&fixture, false, false);
	after(&fixture, 0);
	ck_assert(!fixture.status.is_used);
	done(&fixture);
	init(&fixture);
	start(&fixture, true, true); /* asked for and not there: an error, and nothing else instead */
	after(&fixture, 0);
	ck_assert(fixture.status.is_used && !fixture.status.has_signer);
	check_note(&fixture, "/ca");
	ck_assert(access(fixture.state, F_OK) != 0);
	done(&fixture);
}
END_TEST

START_TEST(what_is_plugged_in_comes_first_and_broken_is_not_absent)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	hierarchy_init(&h);
	struct fixture fixture;
	init(&fixture);
	plug_in(&fixture, &h);
	write_file(fixture.ca, "ca-key.pem", "none", 4);
	start(&fixture, false, true);
	after(&fixture, 0);
	ck_assert(!fixture.status.has_signer);
	check_note(&fixture, "ca-key.pem");
	ck_assert(access(fixture.state, F_OK) != 0);
	plug_in(&fixture, &h);
	after(&fixture, 1);
	ck_assert_msg(fixture.status.has_signer, "%s", fixture.status.note.message);
	ck_assert_int_eq(fixture.status.place, ORIGIN_FOLDER);
	ck_assert(!fixture.status.can_rotate);
	done(&fixture);
}
END_TEST

START_TEST(a_bad_change_keeps_the_former_signer)
{
	CLEANUP(hierarchy_done) struct hierarchy h, other;
	hierarchy_init(&h);
	hierarchy_init(&other);
	struct fixture fixture;
	init(&fixture);
	plug_in(&fixture, &h);
	start(&fixture, false, true);
	after(&fixture, 0);
	struct digest first = signs(&fixture);
	write_file(fixture.ca, "root-cert.pem", "broken!", 7);
	after(&fixture, 1);
	ck_assert(fixture.status.is_stale);
	check_note(&fixture, "root-cert.pem");
	ck_assert(digest_equal(first, signs(&fixture)));
	ck_assert_uint_eq(fixture.status.reload_failures, 1);
	after(&fixture, 1); /* it is not read again at once */
	ck_assert_uint_eq(fixture.status.reload_failures, 1);
	check_note(&fixture, "root-cert.pem");
	unlink(path_in(fixture.ca, "ca-cert.pem")); /* gone is wrong too: nothing else steps in */
	unlink(path_in(fixture.ca, "ca-key.pem"));
	unlink(path_in(fixture.ca, "cert-chain.pem"));
	unlink(path_in(fixture.ca, "root-cert.pem"));
	after(&fixture, 1);
	ck_assert(fixture.status.is_stale);
	ck_assert(digest_equal(first, signs(&fixture)));
	plug_in(&fixture, &other);
	after(&fixture, 1);
	ck_assert(!fixture.status.is_stale);
	ck_assert_int_eq(fixture.status.phase, ROTATION_PREPARED); /* what is good again is a change as any other */
	ck_assert(digest_equal(first, signs(&fixture)));
	done(&fixture);
}
END_TEST

START_TEST(time_mends)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	hierarchy_init(&h);
	hierarchy_set_signer(&h, (struct cert_wish){.begin_s = 5});
	struct fixture fixture;
	init(&fixture);
	plug_in(&fixture, &h);
	start(&fixture, false, false);
	after(&fixture, 0);
	check_note(&fixture, "not valid before");
	after(&fixture, 6);
	ck_assert(!fixture.status.has_signer); /* not at once */
	after(&fixture, ORIGIN_RETRY_S);
	ck_assert_msg(fixture.status.has_signer, "%s", fixture.status.note.message);
	done(&fixture);
}
END_TEST

static X509 *first_of(const struct text *chain)
{
	BIO *bio = BIO_new_mem_buf(chain->s, (int)chain->n);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	ck_assert_msg(cert != NULL, "%s", text_get(chain));
	return cert;
}

START_TEST(weftd_has_a_certificate_of_its_own)
{
	struct fixture fixture;
	init(&fixture);
	start(&fixture, false, true);
	after(&fixture, 0);
	ck_assert_uint_eq(fixture.n_serving, 1);
	X509 *cert = first_of(&fixture.chain);
	ck_assert_int_eq(X509_check_host(cert, "weftd.istio-system.svc", 0, 0, NULL), 1);
	ck_assert_int_eq(X509_check_host(cert, "example.com", 0, 0, NULL), 0);
	X509_free(cert);
	ck_assert_int_eq(fixture.status.serving_end_s, NOW_S + 20);
	after(&fixture, 9);
	ck_assert_uint_eq(fixture.n_serving, 1);
	after(&fixture, 1); /* half of its life */
	ck_assert_uint_eq(fixture.n_serving, 2);
	ck_assert_int_eq(fixture.status.serving_end_s, NOW_S + 30);
	done(&fixture);
}
END_TEST

START_TEST(a_clock_that_is_set_renews_weftds_own_certificate_once)
{
	static const int64_t steps_s[] = {DAY_S, -DAY_S};
	struct fixture fixture;
	init(&fixture);
	start(&fixture, false, true);
	after(&fixture, 0);
	for (unsigned i = 0; i < sizeof steps_s / sizeof steps_s[0]; i++) {
		set_clock(&fixture, steps_s[i]);
		ck_assert_uint_eq(fixture.n_serving, 2 + i);
		ck_assert_int_eq(fixture.status.serving_end_s, fixture.clock.wall_ns / CLOCK_S + 20);
		after(&fixture, 1);
		ck_assert_uint_eq(fixture.n_serving, 2 + i);
	}
	done(&fixture);
}
END_TEST

START_TEST(a_signer_out_of_its_time_signs_nothing_until_it_is_in_it_again)
{
	static const struct {
		int64_t step_s;
		const char *words;
	} rows[] = {{DAY_S, "expired at 2027-01-15T08:01:40Z"}, {-DAY_S, "is not valid before 2027-01-15T07:00:00Z"}};
	CLEANUP(hierarchy_done) struct hierarchy h;
	hierarchy_init(&h);
	hierarchy_set_signer(&h, (struct cert_wish){.end_s = 100});
	struct fixture fixture;
	init(&fixture);
	plug_in(&fixture, &h);
	start(&fixture, false, true);
	after(&fixture, 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		unsigned n_serving = fixture.n_serving;
		set_clock(&fixture, rows[i].step_s);
		check_note(&fixture, rows[i].words);
		ck_assert(fixture.status.is_stale && fixture.status.is_out_of_time);
		ck_assert_uint_eq(fixture.n_serving, n_serving);
		ck_assert(access(path_in(fixture.state, "ca-cert.pem"), F_OK) != 0); /* nothing else steps in */
		set_clock(&fixture, -rows[i].step_s);
		ck_assert_str_eq(fixture.status.note.message, "");
		ck_assert(!fixture.status.is_stale && !fixture.status.is_out_of_time);
	}
	done(&fixture);
}
END_TEST

START_TEST(a_root_is_replaced)
{
	struct fixture fixture;
	init(&fixture);
	start(&fixture, false, true);
	after(&fixture, 0);
	struct digest old = signs(&fixture);
	fixture.view = (struct rotation_view){.is_known = true, .proxies = 2, .acknowledged = 1};
	command(&fixture, KEEPER_ROTATE);
	ck_assert_int_eq(fixture.status.phase, ROTATION_PREPARED);
	ck_assert_uint_eq(n_trusted(&fixture), 2);
	ck_assert(digest_equal(old, signs(&fixture)));
	ck_assert_uint_eq(fixture.n_trusted, 2);
	after(&fixture, 1000);
	ck_assert(strstr(fixture.status.waiting.message, "1 of 2") != NULL);

	stop(&fixture); /* a restart forgets nothing */
	start(&fixture, false, true);
	after(&fixture, 0);
	ck_assert_int_eq(fixture.status.phase, ROTATION_PREPARED);
	fixture.view.acknowledged = 2;
	after(&fixture, KEEPER_GRACE_S - 1); /* others may be on their way back */
	ck_assert_int_eq(fixture.status.phase, ROTATION_PREPARED);
	after(&fixture, 1);
	after(&fixture, 1);
	ck_assert_int_eq(fixture.status.phase, ROTATION_ACTIVE);
	struct digest new = signs(&fixture);
	ck_assert(!digest_equal(old, new));
	ck_assert_uint_eq(n_trusted(&fixture), 2);

	stop(&fixture);
	start(&fixture, false, true);
	after(&fixture, 98);
	ck_assert_int_eq(fixture.status.phase, ROTATION_ACTIVE);
	after(&fixture, 1);
	after(&fixture, 1);
	ck_assert_int_eq(fixture.status.phase, ROTATION_IDLE);
	ck_assert(digest_equal(new, signs(&fixture)));
	ck_assert_uint_eq(n_trusted(&fixture), 1);
	ck_assert(access(path_in(fixture.state, ROOT_FOLDER_ROTATION), F_OK) != 0);

	stop(&fixture);
	start(&fixture, false, true);
	after(&fixture, 0);
	ck_assert(digest_equal(new, signs(&fixture)));
	done(&fixture);
}
END_TEST

START_TEST(and_back_again)
{
	struct fixture fixture;
	struct error error;
	init(&fixture);
	start(&fixture, false, true);
	after(&fixture, 0);
	struct digest old = signs(&fixture);
	ck_assert(!keeper_command(fixture.keeper, KEEPER_UNDO, &error));
	command(&fixture, KEEPER_ROTATE);
	command(&fixture, KEEPER_UNDO);
	ck_assert_int_eq(fixture.status.phase, ROTATION_IDLE);
	ck_assert_uint_eq(n_trusted(&fixture), 1);
	ck_assert(digest_equal(old, signs(&fixture)));
	fixture.view = (struct rotation_view){.is_known = true, .proxies = 1, .unaware = 1};
	command(&fixture, KEEPER_ROTATE);
	after(&fixture, 100);
	ck_assert_int_eq(fixture.status.phase, ROTATION_PREPARED);
	command(&fixture, KEEPER_ROTATE_SKIPPING_UNAWARE);
	after(&fixture, 6);
	ck_assert_int_eq(fixture.status.phase, ROTATION_ACTIVE);
	ck_assert(!digest_equal(old, signs(&fixture)));
	command(&fixture, KEEPER_UNDO);
	ck_assert_int_eq(fixture.status.phase, ROTATION_ACTIVE);
	ck_assert(digest_equal(old, signs(&fixture)));
	ck_assert_uint_eq(n_trusted(&fixture), 2);
	after(&fixture, 100);
	after(&fixture, 1);
	ck_assert_int_eq(fixture.status.phase, ROTATION_IDLE);
	ck_assert_uint_eq(n_trusted(&fixture), 1);
	done(&fixture);
}
END_TEST

START_TEST(a_clock_that_is_set_does_not_move_a_rotation)
{
	struct fixture fixture;
	init(&fixture);
	start(&fixture, false, true);
	after(&fixture, 0);
	fixture.view = (struct rotation_view){.is_known = true, .proxies = 1, .acknowledged = 1};
	command(&fixture, KEEPER_ROTATE);
	set_clock(&fixture, DAY_S);
	ck_assert_int_eq(fixture.status.phase, ROTATION_PREPARED); /* not settled yet */
	after(&fixture, 6);
	after(&fixture, 1);
	ck_assert_int_eq(fixture.status.phase, ROTATION_ACTIVE);
	set_clock(&fixture, DAY_S);
	set_clock(&fixture, -2 * DAY_S);
	ck_assert_int_eq(fixture.status.phase, ROTATION_ACTIVE);
	ck_assert_uint_eq(n_trusted(&fixture), 2);
	after(&fixture, 100);
	after(&fixture, 1);
	ck_assert_int_eq(fixture.status.phase, ROTATION_IDLE);
	done(&fixture);
}
END_TEST

START_TEST(a_rotation_is_cut_short)
{
	struct fixture fixture;
	struct error error;
	init(&fixture);
	start(&fixture, false, true);
	after(&fixture, 0);
	fixture.view = (struct rotation_view){.is_known = true};
	command(&fixture, KEEPER_ROTATE);
	ck_assert(!keeper_command(fixture.keeper, KEEPER_FINISH, &error));
	ck_assert(strstr(error.message, "does not sign yet") != NULL);
	after(&fixture, 6);
	after(&fixture, 6);
	ck_assert_int_eq(fixture.status.phase, ROTATION_ACTIVE);
	command(&fixture, KEEPER_FINISH);
	ck_assert_int_eq(fixture.status.phase, ROTATION_IDLE);
	ck_assert_uint_eq(n_trusted(&fixture), 1);
	done(&fixture);
}
END_TEST

START_TEST(a_damaged_rotation_is_an_error)
{
	struct fixture fixture;
	init(&fixture);
	start(&fixture, false, true);
	after(&fixture, 0);
	command(&fixture, KEEPER_ROTATE);
	struct digest old = signs(&fixture);
	write_file(fixture.state, ROOT_FOLDER_ROTATION, "{\"phase\"", 8);
	after(&fixture, 1);
	check_note(&fixture, ROOT_FOLDER_ROTATION);
	ck_assert(fixture.status.is_stale);
	ck_assert(digest_equal(old, signs(&fixture)));
	done(&fixture);
}
END_TEST

START_TEST(it_is_shown_without_keys)
{
	struct fixture fixture;
	init(&fixture);
	start(&fixture, false, true);
	after(&fixture, 0);
	command(&fixture, KEEPER_ROTATE);
	CLEANUP(text_done) struct text out = {0};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error;
	keeper_print(fixture.keeper, NULL, &out);
	const struct json *page = json_parse(arena, out.s, out.n, &error);
	ck_assert_msg(page != NULL, "%s: %s", error.message, out.s);
	ck_assert_str_eq(json_get_string(page, "place"), "self-signed-folder");
	ck_assert_str_eq(json_get_string(json_get(page, "rotation"), "phase"), "prepared");
	ck_assert_uint_eq(json_get(page, "roots")->array.n, 2);
	ck_assert_ptr_null(strstr(out.s, "PRIVATE"));
	done(&fixture);
}
END_TEST

UNIT_MAIN("keeper", nothing_is_signed_before_the_trust_domain_is_known, without_a_place_there_is_none,
          what_is_plugged_in_comes_first_and_broken_is_not_absent, a_bad_change_keeps_the_former_signer, time_mends,
          weftd_has_a_certificate_of_its_own, a_clock_that_is_set_renews_weftds_own_certificate_once,
          a_signer_out_of_its_time_signs_nothing_until_it_is_in_it_again, a_clock_that_is_set_does_not_move_a_rotation,
          a_root_is_replaced, and_back_again, a_rotation_is_cut_short, a_damaged_rotation_is_an_error,
          it_is_shown_without_keys)
