#include "server/identity/root_change.h"

void root_change_forget_next(struct root_change *change)
{
	origin_found_done(&change->next);
	change->next_since_s = 0;
	change->is_skipping_unaware = false;
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
		record->is_skipping_unaware = change->is_skipping_unaware;
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
	change->is_skipping_unaware = false;
	return true;
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
	change->is_skipping_unaware = kept->is_skipping_unaware && change->next.authority;
	return is_other;
}
