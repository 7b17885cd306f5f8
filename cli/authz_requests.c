#include "cli/authz_requests.h"

#include "base/map.h"
#include "base/text.h"
#include "cli/authz_decide.h"
#include "cli/authz_print.h"
#include "cli/authz_proxy.h"
#include "cli/command.h"
#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OUTPUT_CHUNK 65536 /* bytes that are printed at once */

struct questioning {
	const struct authz_requests_options *options;
	struct arena *arena;
	struct map proxies; /* struct authz_proxy, by "NAMESPACE/POD" */
	struct text out;
	size_t n_lines, n_not_allowed;
};

static const struct authz_proxy *proxy_of(struct questioning *all, const char *to, struct error *error)
{
	const struct load *load = all->options->load;
	const struct authz_proxy *proxy = map_get(&all->proxies, to);
	if (proxy)
		return proxy;
	const struct workload *workload = authz_proxy_find(load->model, to, error);
	if (!workload)
		return NULL;
	proxy = authz_proxy_of(all->arena, load, workload);
	map_put(all->arena, &all->proxies, arena_strdup(all->arena, to), (void *)(uintptr_t)proxy);
	return proxy;
}

static bool answer(struct questioning *all, const struct text *line, struct error *error)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	struct authz_question question;
	if (!authz_question_read(scratch, line->s, line->n, all->options->defaults, &question, error) ||
	    !authz_question_complete(scratch, &question, error))
		return false;
	if (!question.to)
		return error_set(error, "says no \"to\": NAMESPACE/POD");
	const struct authz_proxy *proxy = proxy_of(all, question.to, error);
	if (!proxy)
		return error_wrap(error, "to");
	const struct authz_verdict verdict = authz_decide(scratch, proxy, &question.request);
	all->n_not_allowed += verdict.decision != AUTHZ_ALLOWED;
	if (all->options->is_json)
		authz_print_json_line(&all->out, &verdict);
	else
		authz_print_decision(&all->out, &verdict);
	text_add(&all->out, "\n");
	return true;
}

/* ---- lines ---- */

/* False: the end, or a failure, which is then in the error. */
static bool next_line(FILE *file, struct text *line, struct error *error)
{
	int c = getc(file);
	line->n = 0;
	error->message[0] = '\0';
	for (; c != EOF && c != '\n'; c = getc(file)) {
		if (line->n == AUTHZ_QUESTION_BYTES_MAX)
			return error_set(error, "has more than %d bytes", AUTHZ_QUESTION_BYTES_MAX);
		text_add_char(line, (char)c);
	}
	if (ferror(file))
		return error_set_errno(error, errno, "reading");
	return c != EOF || line->n > 0;
}

static bool is_blank(const struct text *line)
{
	for (size_t i = 0; i < line->n; i++)
		if (!strchr(" \t\r", line->s[i]) || !line->s[i])
			return false;
	return true;
}

static int flush(struct questioning *all)
{
	int status = output_write(&all->out);
	all->out.n = 0;
	return status;
}

static int answer_all(struct questioning *all, FILE *file)
{
	CLEANUP(text_done) struct text line = {0};
	struct error error;
	while (all->n_lines++, next_line(file, &line, &error)) {
		if (is_blank(&line))
			continue;
		if (!answer(all, &line, &error))
			break;
		if (all->out.n >= OUTPUT_CHUNK && flush(all) != COMMAND_DONE)
			return COMMAND_FAILED;
	}
	int status = flush(all);
	if (!error.message[0])
		return status == COMMAND_DONE && all->n_not_allowed ? COMMAND_FAILED : status;
	fprintf(stderr, "weft authz: %s:%zu: %s\n", all->options->path, all->n_lines, error.message);
	return COMMAND_USAGE;
}

int authz_requests(const struct authz_requests_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct questioning all = {.options = options, .arena = arena};
	bool is_stdin = strcmp(options->path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(options->path, "re");
	if (!file) {
		fprintf(stderr, "weft authz: %s: %s\n", options->path, strerror(errno));
		return COMMAND_USAGE;
	}
	int status = answer_all(&all, file);
	text_done(&all.out);
	if (!is_stdin)
		fclose(file);
	return status;
}
