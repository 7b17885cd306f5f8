/*
 * A Secret from an API server that sends anything, as the self-signed root with its rotation and the notes of other
 * replicas: what is taken prints and reads back the same, and what is refused says why.
 */
#include "server/identity/replicas.h"
#include "server/identity/root_record.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_again(const struct root_record *record)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(root_record_done) struct root_record again = {0};
	struct root_entry entries[ROOT_ENTRIES_MAX], there[ROOT_ENTRIES_MAX];
	struct error error;
	size_t n_there = 0, n = root_record_print(record, arena, entries);

	for (size_t i = 0; i < n; i++)
		if (entries[i].s)
			there[n_there++] = entries[i];
	bool is_read = root_record_read(&again, there, n_there, &error);
	assert(is_read);
	again.since_s = record->since_s; /* an idle record has none */
	again.is_skipping_unaware = record->is_skipping_unaware;
	assert(root_record_equal(record, &again));
}

static void check_record(const struct kube_secret *secret)
{
	CLEANUP(root_record_done) struct root_record record = {0};
	struct root_entry entries[KUBE_SECRET_ENTRIES_MAX];
	struct error error = {""};

	assert(secret->n <= KUBE_SECRET_ENTRIES_MAX);
	for (size_t i = 0; i < secret->n; i++)
		entries[i] = (struct root_entry){secret->v[i].name, secret->v[i].s, secret->v[i].n};
	if (root_record_read(&record, entries, secret->n, &error))
		check_again(&record);
	else
		assert(error.message[0]);
}

static void check_notes(const struct kube_secret *secret)
{
	struct clock clock = clock_fake(CLOCK_S);
	struct replicas *replicas = replicas_new("self", &clock);
	struct rotation_view view = {.is_known = true};

	replicas_add(replicas, secret, digest_of("", 0), &view);
	assert(view.n_waiting_for <= ROTATION_NAMES_MAX);
	replicas_free(replicas);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct error error = {""};
	CLEANUP(kube_secret_unrefp) struct kube_secret *secret = kube_secret_decode((const char *)data, n, &error);

	if (!secret) {
		assert(error.message[0]);
		return 0;
	}
	check_record(secret);
	check_notes(secret);
	return 0;
}
