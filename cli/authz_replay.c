#include "cli/authz_replay.h"

#include "base/vec.h"
#include "cli/authz_decide.h"
#include "cli/authz_log.h"
#include "cli/authz_print.h"
#include "cli/authz_proxy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The policies as they are, or as they would be. */
struct side {
	struct load load;
	struct map proxies; /* struct authz_proxy, by the workload's address; NULL where there is none */
};

/* Requests that are alike, and what becomes of them. */
struct change {
	const char *caller, *request, *before, *after;
	size_t n;
};

struct replay {
	struct arena *arena;
	struct side before, after;
	struct map changes; /* struct change */
	size_t n_lines, n_played, n_skipped;
	const char *first_skipped; /* why */
};

/* ---- one request ---- */

static const struct authz_proxy *proxy_at(struct replay *replay, struct side *side, const char *address)
{
	if (map_has(&side->proxies, address))
		return map_get(&side->proxies, address);
	const struct workload *workload = map_get(&side->load.model->workloads_by_address, address);
	const struct authz_proxy *proxy = workload ? authz_proxy_of(replay->arena, &side->load, workload) : NULL;
	map_put(replay->arena, &side->proxies, arena_strdup(replay->arena, address), (void *)(uintptr_t)proxy);
	return proxy;
}

static const char *fate(struct arena *arena, const struct authz_proxy *proxy, const struct authz_request *request)
{
	CLEANUP(text_done) struct text out = {0};
	const struct authz_verdict verdict = authz_decide(arena, proxy, request);
	authz_print_decision(&out, &verdict);
	return arena_strdup(arena, text_get(&out));
}

/* Whether it gets in at all is what counts; by which of several rules it does, is not a change. */
static bool is_change(const char *before, const char *after)
{
	return text_has_prefix(before, "allowed") != text_has_prefix(after, "allowed");
}

/* At a gateway the host says whose request it is. */
static const char *in_words(struct arena *arena, const struct authz_log_line *line, bool is_gateway)
{
	const struct authz_request *request = &line->request;
	if (!request->is_http)
		return arena_printf(arena, "TCP to %s:%u", line->address, request->port);
	return arena_printf(arena, "%s %s%.*s at %s:%u", request->method, is_gateway ? request->host : "",
	                    (int)strcspn(request->path, "?"), request->path, line->address, request->port);
}

static void note(struct replay *replay, const struct authz_log_line *line, bool is_gateway, const char *before,
                 const char *after)
{
	struct arena *arena = replay->arena;
	const char *caller = line->request.principal ? line->request.principal
	                     : is_gateway            ? "no certificate"
	                                             : "plaintext";
	const char *what = in_words(arena, line, is_gateway);
	void **slot =
	    map_slot(arena, &replay->changes, arena_printf(arena, "%s\n%s\n%s\n%s", caller, what, before, after));
	if (!*slot) {
		struct change *change = ARENA_NEW(arena, struct change);
		*change = (struct change){arena_strdup(arena, caller), what, arena_strdup(arena, before),
		                          arena_strdup(arena, after), 0};
		*slot = change;
	}
	((struct change *)*slot)->n++;
}

static void skip(struct replay *replay, const char *why)
{
	if (!replay->n_skipped++)
		replay->first_skipped = arena_printf(replay->arena, "line %zu: %s", replay->n_lines, why);
}

static void play(struct replay *replay, const char *s, size_t n)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	struct authz_log_line line;
	struct error error;
	if (!authz_log_read(scratch, s, n, &line, &error)) {
		skip(replay, error.message);
		return;
	}
	const struct authz_proxy *before = proxy_at(replay, &replay->before, line.address);
	const struct authz_proxy *after = proxy_at(replay, &replay->after, line.address);
	if (!before || !after) {
		skip(replay, arena_printf(scratch, "the configuration has no pod with address %s", line.address));
		return;
	}
	line.request.ip = line.address;
	const char *former = fate(scratch, before, &line.request), *next = fate(scratch, after, &line.request);
	replay->n_played++;
	if (is_change(former, next))
		note(replay, &line, before->is_gateway, former, next);
}

/* ---- the log ---- */

static bool play_log(struct replay *replay, const char *path, struct error *error)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	if (!file)
		return error_set_errno(error, errno, "%s", path);
	while ((n = getline(&line, &cap, file)) >= 0) {
		replay->n_lines++;
		while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			n--;
		if (n > 0)
			play(replay, line, (size_t)n);
	}
	int failure = ferror(file) ? errno : 0;
	free(line);
	fclose(file);
	return !failure || error_set_errno(error, failure, "%s", path);
}

/* ---- what changes ---- */

static int compare_changes(const void *pa, const void *pb)
{
	const struct change *a = *(const struct change *const *)pa, *b = *(const struct change *const *)pb;
	if (a->n != b->n)
		return a->n > b->n ? -1 : 1;
	int order = strcmp(a->caller, b->caller);
	return order ? order : strcmp(a->request, b->request);
}

static void print_text(const struct replay *replay, struct change *const *changes, size_t n, struct text *out)
{
	for (size_t i = 0; i < n; i++)
		text_printf(out, "%zu× %s\n   %s\n   now  %s\n   then %s\n", changes[i]->n, changes[i]->caller,
		            changes[i]->request, changes[i]->before, changes[i]->after);
	text_printf(out, "%zu requests played, %zu kinds of them would fare differently\n", replay->n_played, n);
	if (replay->n_skipped)
		text_printf(out, "%zu lines left out, the first at %s\n", replay->n_skipped, replay->first_skipped);
}

static void print_json(const struct replay *replay, struct change *const *changes, size_t n, struct text *out)
{
	text_printf(out, "{\n  \"played\": %zu,\n  \"leftOut\": %zu,\n  \"changes\": [", replay->n_played,
	            replay->n_skipped);
	for (size_t i = 0; i < n; i++) {
		text_printf(out, "%s\n    {\"requests\": %zu", i ? "," : "", changes[i]->n);
		text_add_json_member(out, "caller", changes[i]->caller);
		text_add_json_member(out, "request", changes[i]->request);
		text_add_json_member(out, "now", changes[i]->before);
		text_add_json_member(out, "then", changes[i]->after);
		text_add(out, "}");
	}
	text_add(out, n ? "\n  ]\n}\n" : "]\n}\n");
}

static void print(const struct replay *replay, bool is_json, struct text *out)
{
	VEC(struct change *) changes = {0};
	for (size_t i = 0; i < replay->changes.n; i++)
		VEC_PUSH(replay->arena, &changes, replay->changes.entries[i].value);
	VEC_SORT(&changes, compare_changes);
	if (is_json)
		print_json(replay, changes.v, changes.n, out);
	else
		print_text(replay, changes.v, changes.n, out);
}

static bool load_sides(struct replay *replay, const struct authz_replay_options *options, struct error *error)
{
	const struct load_options policies = {
	    .paths = options->policies,
	    .n_paths = options->n_policies,
	    .root_namespace = options->config->root_namespace,
	};
	return load_files(options->config, &replay->before.load, error) &&
	       load_files_over(&policies, &replay->before.load, &replay->after.load, error);
}

bool authz_replay(const struct authz_replay_options *options, struct text *out, struct error *error)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct replay replay = {.arena = arena};
	bool is_done = load_sides(&replay, options, error) && play_log(&replay, options->log, error);
	if (is_done)
		print(&replay, options->is_json, out);
	load_done(&replay.after.load);
	load_done(&replay.before.load);
	return is_done;
}
