#include "server/identity/root_change.h"

#include "tests/unit/authorities.h"

#include <string.h>

static void found_from(struct origin_found *found, const struct hierarchy *h)
{
	struct clock clock = clock_at(NOW_S);
	struct authority_files files = hierarchy_files(h);
	struct error error;

	*found = (struct origin_found){.place = ORIGIN_FOLDER, .authority = authority_read(&files, &clock, &error)};
	ck_assert_msg(found->authority != NULL, "%s", error.message);
}

static enum rotation_phase phase_of(const struct root_change *change, bool *is_skipping)
{
	struct root_record record;
	root_change_phase(change, &record);
	*is_skipping = record.is_skipping_unaware;
	return record.phase;
}

/* One replica is told, and signs with the new root before another has heard of it. */
START_TEST(what_was_said_of_a_root_is_heard_after_it_signs)
{
	CLEANUP(hierarchy_done) struct hierarchy h, other;
	hierarchy_init(&h);
	hierarchy_init(&other);
	CLEANUP(root_change_done) struct root_change told = {0}, late = {0};
	CLEANUP(origin_found_done) struct origin_found mine = {0}, theirs = {0};
	bool is_skipping;

	found_from(&mine, &h);
	found_from(&theirs, &h);
	ck_assert(root_change_prepare(&told, &mine, 0));
	ck_assert(root_change_prepare(&late, &theirs, 0));
	root_change_skip_unaware(&told);
	ck_assert_int_eq(phase_of(&told, &is_skipping), ROTATION_PREPARED);
	ck_assert(is_skipping);
	origin_found_done(&told.next); /* it is who signs now */
	root_change_forget_next(&told);

	struct kept_roots kept = {0};
	memcpy(kept.skip_unaware_for, told.skip_unaware_for, sizeof kept.skip_unaware_for);
	root_change_hear(&late, &kept);
	ck_assert_int_eq(phase_of(&late, &is_skipping), ROTATION_PREPARED);
	ck_assert(is_skipping);

	found_from(&mine, &other); /* said of one root, and of no other */
	ck_assert(root_change_prepare(&late, &mine, 0));
	root_change_hear(&late, &kept);
	phase_of(&late, &is_skipping);
	ck_assert(!is_skipping);
}
END_TEST

START_TEST(what_was_said_of_a_root_ends_with_it)
{
	CLEANUP(hierarchy_done) struct hierarchy h;
	hierarchy_init(&h);
	CLEANUP(root_change_done) struct root_change change = {0};
	CLEANUP(origin_found_done) struct origin_found found = {0};
	bool is_skipping;

	found_from(&found, &h);
	root_change_prepare(&change, &found, 0);
	root_change_skip_unaware(&change);
	found_from(&found, &h);
	ck_assert(!root_change_prepare(&change, &found, 0)); /* the same root, read again */
	phase_of(&change, &is_skipping);
	ck_assert(is_skipping);
	root_change_forget_next(&change);
	found_from(&found, &h);
	root_change_prepare(&change, &found, 0);
	phase_of(&change, &is_skipping);
	ck_assert(!is_skipping);
}
END_TEST

UNIT_MAIN("root_change", what_was_said_of_a_root_is_heard_after_it_signs, what_was_said_of_a_root_ends_with_it)
