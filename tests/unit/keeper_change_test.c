#include "tests/unit/keeper_fixture.h"

static const struct rotation_view all_know = {.is_known = true, .proxies = 2, .acknowledged = 2},
                                  one_does_not = {.is_known = true, .proxies = 2, .acknowledged = 1};

static void check_change(struct fixture *fixture, enum rotation_phase phase, struct digest signer, size_t trusted)
{
	ck_assert_str_eq(fixture->status.note.message, "");
	ck_assert_int_eq(fixture->status.phase, phase);
	ck_assert(digest_equal(signer, signs(fixture)));
	ck_assert_uint_eq(n_trusted(fixture), trusted);
}

START_TEST(a_root_that_is_plugged_in_waits_for_the_proxies)
{
	CLEANUP(hierarchy_done) struct hierarchy h, other;
	hierarchy_init(&h);
	hierarchy_init(&other);
	struct digest a = certificate_digest(h.signer), b = certificate_digest(other.signer);
	struct fixture fixture;
	struct error error;
	init(&fixture);
	plug_in(&fixture, &h);
	start(&fixture, false, true);
	after(&fixture, 0);
	check_change(&fixture, ROTATION_IDLE, a, 1);
	fixture.view = one_does_not;
	plug_in(&fixture, &other);
	after(&fixture, 1000);
	check_change(&fixture, ROTATION_PREPARED, a, 2);
	after(&fixture, 1);
	ck_assert(strstr(fixture.status.waiting.message, "1 of 2") != NULL);
	ck_assert(!keeper_command(fixture.keeper, KEEPER_FINISH, &error));
	ck_assert(!keeper_command(fixture.keeper, KEEPER_UNDO, &error));
	ck_assert_msg(strstr(error.message, "put the former files back") != NULL, "%s", error.message);

	plug_in(&fixture, &h); /* undone */
	after(&fixture, 1);
	check_change(&fixture, ROTATION_IDLE, a, 1);

	plug_in(&fixture, &other);
	after(&fixture, 1);
	fixture.view = all_know;
	after(&fixture, ROTATION_SETTLE_S);
	after(&fixture, 0);
	check_change(&fixture, ROTATION_ACTIVE, b, 2);
	after(&fixture, 99);
	check_change(&fixture, ROTATION_ACTIVE, b, 2);
	after(&fixture, 1);
	after(&fixture, 0);
	check_change(&fixture, ROTATION_IDLE, b, 1);
	done(&fixture);
}
END_TEST

START_TEST(another_signer_below_the_same_root_signs_at_once)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	hierarchy_init(&h);
	struct fixture fixture;
	init(&fixture);
	plug_in(&fixture, &h);
	start(&fixture, false, true);
	after(&fixture, 0);
	hierarchy_set_signer(&h, (struct cert_wish){.end_s = 30 * DAY_S});
	plug_in(&fixture, &h);
	after(&fixture, 1);
	check_change(&fixture, ROTATION_IDLE, certificate_digest(h.signer), 1);
	done(&fixture);
}
END_TEST

START_TEST(a_set_with_the_union_of_both_roots_waits_too)
{
	CLEANUP(hierarchy_done) struct hierarchy h, other;
	hierarchy_init(&h);
	hierarchy_init(&other);
	struct digest a = certificate_digest(h.signer), b = certificate_digest(other.signer);
	CLEANUP(text_done) struct text both = {0};
	struct fixture fixture;
	init(&fixture);
	certificate_print(h.root, &both);
	certificate_print(other.root, &both);
	plug_in(&fixture, &h);
	start(&fixture, false, true);
	after(&fixture, 0);
	fixture.view = one_does_not;
	write_file(fixture.ca, "root-cert.pem", both.s, both.n); /* trusted at once; nobody else signs */
	after(&fixture, 1);
	check_change(&fixture, ROTATION_IDLE, a, 2);
	plug_in(&fixture, &other);
	write_file(fixture.ca, "root-cert.pem", both.s, both.n);
	after(&fixture, 100);
	check_change(&fixture, ROTATION_PREPARED, a, 2);
	fixture.view = all_know;
	after(&fixture, ROTATION_SETTLE_S);
	after(&fixture, 0);
	check_change(&fixture, ROTATION_IDLE, b, 2); /* whoever wants both has both */
	plug_in(&fixture, &other);
	after(&fixture, 1);
	check_change(&fixture, ROTATION_ACTIVE, b, 2); /* until what the former has signed is over */
	command(&fixture, KEEPER_FINISH);
	check_change(&fixture, ROTATION_IDLE, b, 1);
	done(&fixture);
}
END_TEST

START_TEST(a_restart_forgets_no_former_root)
{
	CLEANUP(hierarchy_done) struct hierarchy h, other, third;
	hierarchy_init(&h);
	hierarchy_init(&other);
	hierarchy_init(&third);
	struct digest b = certificate_digest(other.signer), c = certificate_digest(third.signer);
	struct fixture fixture;
	init(&fixture);
	plug_in(&fixture, &h);
	start(&fixture, false, true);
	after(&fixture, 0);
	fixture.view = one_does_not;
	plug_in(&fixture, &other);
	after(&fixture, 1);
	ck_assert_int_eq(fixture.status.phase, ROTATION_PREPARED);
	stop(&fixture); /* who signed is gone with its key */
	start(&fixture, false, true);
	after(&fixture, 0);
	after(&fixture, 1);
	check_change(&fixture, ROTATION_ACTIVE, b, 2);
	stop(&fixture);
	start(&fixture, false, true);
	after(&fixture, 60);
	after(&fixture, 1);
	check_change(&fixture, ROTATION_ACTIVE, b, 2);

	stop(&fixture); /* a change while nobody looks */
	plug_in(&fixture, &third);
	start(&fixture, false, true);
	after(&fixture, 30);
	after(&fixture, 1);
	check_change(&fixture, ROTATION_ACTIVE, c, 3);
	stop(&fixture);
	start(&fixture, false, true);
	after(&fixture, 98);
	check_change(&fixture, ROTATION_ACTIVE, c, 3);
	after(&fixture, 2);
	after(&fixture, 0);
	check_change(&fixture, ROTATION_IDLE, c, 1);
	done(&fixture);
}
END_TEST

START_TEST(what_is_kept_of_roots_and_is_broken_is_not_nothing)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	hierarchy_init(&h);
	struct fixture fixture;
	init(&fixture);
	plug_in(&fixture, &h);
	mkdir(fixture.state, 0700);
	write_file(fixture.state, KEPT_ROOTS_FILE, "{\"roots\":", 9);
	start(&fixture, false, true);
	after(&fixture, 0);
	ck_assert(!fixture.status.has_signer);
	check_note(&fixture, KEPT_ROOTS_FILE);
	unlink(path_in(fixture.state, KEPT_ROOTS_FILE));
	after(&fixture, 1);
	ck_assert_msg(fixture.status.has_signer, "%s", fixture.status.note.message);
	done(&fixture);
}
END_TEST

START_TEST(proxies_that_never_ask_for_roots_are_passed_over_when_asked_to)
{
	CLEANUP(hierarchy_done) struct hierarchy h, other;
	hierarchy_init(&h);
	hierarchy_init(&other);
	struct fixture fixture;
	init(&fixture);
	plug_in(&fixture, &h);
	start(&fixture, false, false); /* without a place to keep roots too */
	after(&fixture, 0);
	fixture.view = (struct rotation_view){.is_known = true, .proxies = 1, .unaware = 1};
	plug_in(&fixture, &other);
	after(&fixture, 1);
	after(&fixture, 100);
	check_change(&fixture, ROTATION_PREPARED, certificate_digest(h.signer), 2);
	command(&fixture, KEEPER_ROTATE_SKIPPING_UNAWARE);
	check_change(&fixture, ROTATION_ACTIVE, certificate_digest(other.signer), 2);
	done(&fixture);
}
END_TEST

START_TEST(a_clock_that_is_set_ends_no_trust)
{
	CLEANUP(hierarchy_done) struct hierarchy h, other;
	hierarchy_init(&h);
	hierarchy_init(&other);
	struct fixture fixture;
	init(&fixture);
	plug_in(&fixture, &h);
	start(&fixture, false, true);
	after(&fixture, 0);
	fixture.view = all_know;
	plug_in(&fixture, &other);
	after(&fixture, 1);
	after(&fixture, ROTATION_SETTLE_S);
	after(&fixture, 0);
	ck_assert_int_eq(fixture.status.phase, ROTATION_ACTIVE);
	set_clock(&fixture, DAY_S);
	ck_assert_uint_eq(n_trusted(&fixture), 2);
	after(&fixture, 99);
	ck_assert_uint_eq(n_trusted(&fixture), 2);
	after(&fixture, 1);
	after(&fixture, 0);
	ck_assert_uint_eq(n_trusted(&fixture), 1);
	done(&fixture);
}
END_TEST

UNIT_MAIN("keeper_change", a_root_that_is_plugged_in_waits_for_the_proxies,
          another_signer_below_the_same_root_signs_at_once, a_set_with_the_union_of_both_roots_waits_too,
          a_restart_forgets_no_former_root, what_is_kept_of_roots_and_is_broken_is_not_nothing,
          proxies_that_never_ask_for_roots_are_passed_over_when_asked_to, a_clock_that_is_set_ends_no_trust)
