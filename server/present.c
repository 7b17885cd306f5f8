#include "server/present.h"

#include "base/clock.h"
#include "translator/print.h"

#include <string.h>

void present_init(struct present *present)
{
	*present = (struct present){0};
	pthread_mutex_init(&present->lock, NULL);
	error_set(&present->note, "the configuration has not been read yet");
}

void present_done(struct present *present)
{
	generation_unref(present->generation);
	roster_unref(present->roster);
	pthread_mutex_destroy(&present->lock);
}

/* ---- written by the pipeline ---- */

static void stats_count_sets(struct present_stats *stats, const struct emission *emission)
{
	memset(stats->sets, 0, sizeof stats->sets);
	memset(stats->resources, 0, sizeof stats->resources);
	memset(stats->bytes, 0, sizeof stats->bytes);
	for (size_t i = 0; i < emission->sets.n; i++) {
		const struct resource_set *set = emission->sets.entries[i].value;
		stats->sets[set->type]++;
		stats->resources[set->type] += set->n;
		stats->bytes[set->type] += set->bytes;
	}
}

static void stats_count_model(struct present_stats *stats, const struct resolved *resolved)
{
	const struct report *report = &resolved->model->report;

	for (size_t i = 0; i < KIND_COUNT; i++)
		stats->objects[i] = resolved->snapshot->kinds[i].n;
	memset(stats->rows, 0, sizeof stats->rows);
	for (size_t i = 0; i < report->n; i++)
		stats->rows[report->rows[i].severity]++;
	stats->model_bytes = arena_size(resolved->arena);
}

void present_set(struct present *present, struct generation *generation, struct roster *roster,
                 const struct emission *emission, const struct present_cost *cost)
{
	struct present_stats *stats = &present->stats;
	struct generation *former = present->generation;
	struct roster *former_roster = present->roster;

	pthread_mutex_lock(&present->lock);
	present->generation = generation_ref(generation);
	present->roster = roster_ref(roster);
	stats->is_synced = true;
	stats->nodes = roster->n;
	stats->views = emission->views.n;
	stats->workloads = emission->workloads.n;
	*(cost->is_new ? &stats->generations : &stats->rosters) += 1;
	stats->resolve_s += cost->resolve_s;
	stats->emit_s += cost->emit_s;
	stats_count_sets(stats, emission);
	stats_count_model(stats, generation->source);
	pthread_mutex_unlock(&present->lock);
	generation_unref(former);
	roster_unref(former_roster);
}

void present_count_unchanged(struct present *present)
{
	pthread_mutex_lock(&present->lock);
	present->stats.unchanged++;
	pthread_mutex_unlock(&present->lock);
}

void present_note_synced(struct present *present)
{
	pthread_mutex_lock(&present->lock);
	present->stats.is_stale = false;
	present->stats.last_sync_wall_ns = clock_wall_ns(clock_system());
	present->note.message[0] = '\0';
	pthread_mutex_unlock(&present->lock);
}

void present_note_failure(struct present *present, const char *note)
{
	pthread_mutex_lock(&present->lock);
	present->stats.is_stale = present->stats.is_synced;
	error_set(&present->note, "%s", note);
	pthread_mutex_unlock(&present->lock);
}

/* ---- read by anybody ---- */

bool present_is_synced(struct present *present, struct error *note)
{
	pthread_mutex_lock(&present->lock);
	bool is_synced = present->stats.is_synced;
	*note = present->note;
	pthread_mutex_unlock(&present->lock);
	if (!is_synced && !note->message[0])
		error_set(note, "the configuration has been read and is being worked on");
	return is_synced;
}

void present_get_stats(struct present *present, struct present_stats *stats)
{
	pthread_mutex_lock(&present->lock);
	*stats = present->stats;
	pthread_mutex_unlock(&present->lock);
}

/* The present generation and its roster, or NULL; both are the caller's references. */
static struct generation *present_get(struct present *present, struct roster **roster)
{
	pthread_mutex_lock(&present->lock);
	struct generation *generation = present->generation ? generation_ref(present->generation) : NULL;
	*roster = generation ? roster_ref(present->roster) : NULL;
	pthread_mutex_unlock(&present->lock);
	return generation;
}

void present_print_report(struct present *present, struct text *out)
{
	struct roster *roster;
	struct generation *generation = present_get(present, &roster);

	print_report(generation ? &generation->model->report : NULL, out);
	generation_unref(generation);
	roster_unref(roster);
}

/* The whole node id, or NAME.NAMESPACE. */
static bool node_is_named(const struct node *node, const char *name)
{
	size_t n = strlen(node->name);
	return !strcmp(node->id, name) ||
	       (!strncmp(node->name, name, n) && name[n] == '.' && !strcmp(node->namespace, name + n + 1));
}

static const struct roster_node *roster_find(const struct roster *roster, const char *name)
{
	for (size_t i = 0; i < roster->n; i++) {
		if (node_is_named(&roster->v[i]->node, name))
			return roster->v[i];
	}
	return NULL;
}

bool present_print_config(struct present *present, const char *proxy, struct text *out, struct error *error)
{
	struct roster *roster;
	struct generation *generation = present_get(present, &roster);
	if (!generation)
		return error_set(error, "the configuration has not been read yet");

	const struct roster_node *node = roster_find(roster, proxy);
	const struct proxy_config *config = node ? generation_config(generation, node) : NULL;
	if (config)
		print_config(&generation->model->report, config->view, config->workload, out);
	else
		error_set(error, "no proxy \"%s\" is connected; /debug/proxies lists those that are", proxy);
	generation_unref(generation);
	roster_unref(roster);
	return config != NULL;
}
