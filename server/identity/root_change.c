#include "server/identity/root_change.h"

#include "ca/certificate.h"

#include <string.h>

static void next_digest(const struct root_change *change, char hex[DIGEST_HEX])
{
	digest_hex(certificate_digest(authority_root(change->next.authority)), hex);
}

/* Whether that was said of who waits. */
static bool is_of_next(const struct root_change *change, const char *skip_unaware_for)
{
	char hex[DIGEST_HEX];
	next_digest(change, hex);
	return !strcmp(skip_unaware_for, hex);
}

void root_change_forget_next(struct root_change *change)
{
	if (change->next.authority)
		*change->skip_unaware_for = '\0';
	origin_found_done(&change->next);
	change->next_since_s = 0;
}

void root_change_forget_former(struct root_change *change)
{
	bundle_free(change->former);
	change->former = NULL;
	change->former_since_s = 0;
}

void root_change_done(struct root_change *change)
{
	root_change_forget_next(change);
	root_change_forget_former(change);
}

void root_change_phase(const struct root_change *change, struct root_record *record)
{
	*record = (struct root_record){.phase = ROTATION_IDLE};
	if (change->next.authority) {
		record->phase = ROTATION_PREPARED;
		record->since_s = change->next_since_s;
		record->is_skipping_unaware = is_of_next(change, change->skip_unaware_for);
	} else if (change->former) {
		record->phase = ROTATION_ACTIVE;
		record->since_s = change->former_since_s;
	}
}

bool root_change_is_none(const struct authority *a, const struct authority *b)
{
	return X509_cmp(authority_root(a), authority_root(b)) == 0;
}

bool root_change_prepare(struct root_change *change, struct origin_found *found, int64_t now_s)
{
	bool is_waiting = change->next.authority && root_change_is_none(change->next.authority, found->authority);

	origin_found_done(&change->next);
	change->next = *found;
	*found = (struct origin_found){0};
	if (is_waiting)
		return false;
	change->next_since_s = now_s;
	*change->skip_unaware_for = '\0';
	return true;
}

void root_change_skip_unaware(struct root_change *change)
{
	next_digest(change, change->skip_unaware_for);
}

bool root_change_retain(struct root_change *change, const struct bundle *roots, int64_t now_s, struct error *error)
{
	struct bundle *former = bundle_union(roots, change->former ? change->former : roots, error);

	if (!former)
		return false;
	bundle_free(change->former);
	change->former = former;
	change->former_since_s = now_s;
	return true;
}

bool root_change_recall(struct root_change *change, struct kept_roots *kept, const struct authority *authority,
                        int64_t now_s, struct error *error)
{
	root_change_adopt(change, kept);
	return bundle_includes(authority_roots(authority), kept->roots) ||
	       root_change_retain(change, kept->roots, now_s, error);
}

static bool is_same(const struct bundle *a, const struct bundle *b)
{
	return a && b ? digest_equal(bundle_digest(a), bundle_digest(b)) : a == b;
}

bool root_change_adopt(struct root_change *change, struct kept_roots *kept)
{
	bool is_other = !is_same(change->former, kept->former);

	bundle_free(change->former);
	change->former = kept->former;
	kept->former = NULL;
	change->former_since_s = kept->since_s;
	return is_other;
}

void root_change_hear(struct root_change *change, const struct kept_roots *kept)
{
	if (change->next.authority && is_of_next(change, kept->skip_unaware_for))
		root_change_skip_unaware(change);
}
