#include "cli/arguments.h"
#include "cli/ca_print.h"
#include "cli/command.h"
#include "cli/control_client.h"
#include "cli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WATCH_S 1

static const char *const actions[] = {"show", "rotate-root", NULL};

static const struct command_option options[] = {
    COMMAND_OPTION_OUTPUT(
        "The format of what is printed. text: for people; json: one object, as weftd has it on /debug/ca."),
    {
        .name = "control-socket",
        .argument = "PATH",
        .value = COMMAND_VALUE_PATH,
        .help = "weftd's control socket. Without it: what WEFT_CONTROL_SOCKET says, else " CONTROL_CLIENT_SOCKET ".",
    },
    {.name = "watch", .help = "Stay until the rotation has ended. What it waits for is shown as it changes."},
    {.name = "undo", .help = "Go back to the former root. Possible until the rotation has ended."},
    {
        .name = "finish",
        .help = "Forget the former root at once, when the new one signs. Proxies that still have a certificate of the "
                "former are refused; without this it is trusted as long as a certificate may live.",
    },
    {
        .name = "skip-unaware",
        .help = "Do not wait for proxies that never ask which roots to trust. They learn of a root with their next "
                "certificate, and may refuse those of others until then.",
    },
};

struct session {
	const char *socket;
	bool is_json;
	bool is_progress_shown;
};

static int fail(const struct error *error)
{
	fprintf(stderr, "weft ca: %s\n", error->message);
	return COMMAND_FAILED;
}

/* The state, in the arena; NULL with the error. */
static const struct json *ask(struct arena *arena, const struct session *session, bool is_post, const char *target,
                              struct error *error)
{
	CLEANUP(text_done) struct text answer = {0};
	if (!control_client_ask(session->socket, is_post, target, &answer, error))
		return NULL;
	const struct json *state = json_parse(arena, text_get(&answer), answer.n, error);
	if (!state)
		error_wrap(error, "%s: this is not weftd's answer", session->socket);
	return state;
}

static int print(const struct session *session, const struct json *state)
{
	CLEANUP(text_done) struct text out = {0};
	if (session->is_json) {
		json_print(state, 2, &out);
		text_add(&out, "\n");
	} else {
		ca_print(state, &out);
	}
	return output_write(&out);
}

/* On a terminal one line that changes, else a line for each change. To standard error: the result comes at the end. */
static void show_progress(const struct json *state, struct text *former)
{
	CLEANUP(text_done) struct text line = {0};
	bool is_terminal = isatty(STDERR_FILENO);
	ca_print_rotation(state, &line);
	if (text_equal(text_get(former), text_get(&line)))
		return;
	fprintf(stderr, is_terminal ? "\r\033[K%s" : "%s\n", text_get(&line));
	fflush(stderr);
	former->n = 0;
	text_add(former, text_get(&line));
}

static int watch(const struct session *session)
{
	CLEANUP(text_done) struct text former = {0};
	for (;;) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct error error;
		const struct json *state = ask(arena, session, false, "/ca", &error);
		if (state)
			show_progress(state, &former);
		bool is_over = !state || !ca_is_rotating(state);
		if (is_over && former.n && isatty(STDERR_FILENO))
			fputc('\n', stderr);
		if (!state)
			return fail(&error);
		if (is_over)
			return print(session, state);
		sleep(WATCH_S);
	}
}

static int show(const struct session *session)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error;
	const struct json *state = ask(arena, session, false, "/ca", &error);
	return state ? print(session, state) : fail(&error);
}

static int rotate(const struct session *session, const struct arguments *arguments)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error;
	const char *target = arguments_all(arguments, "undo").n           ? "/ca/undo"
	                     : arguments_all(arguments, "finish").n       ? "/ca/finish"
	                     : arguments_all(arguments, "skip-unaware").n ? "/ca/rotate?skip-unaware=1"
	                                                                  : "/ca/rotate";
	const struct json *state = ask(arena, session, true, target, &error);
	if (!state)
		return fail(&error);
	if (!arguments_all(arguments, "watch").n)
		return print(session, state);
	sleep(WATCH_S); /* until weftd has read back what was kept */
	return watch(session);
}

static int run(const struct arguments *arguments)
{
	const char *socket = arguments_get(arguments, "control-socket"), *set = getenv("WEFT_CONTROL_SOCKET");
	struct session session = {
	    .socket = socket               ? socket
	              : text_is_empty(set) ? CONTROL_CLIENT_SOCKET
	                                   : set,
	    .is_json = !strcmp(arguments_get(arguments, "output"), "json"),
	};
	if (!strcmp(arguments->operands.v[0], "rotate-root"))
		return rotate(&session, arguments);
	return arguments_all(arguments, "watch").n ? watch(&session) : show(&session);
}

const struct command command_ca = {
    .name = "ca",
    .summary = "Look at the certificate authority, and rotate its root",
    .synopses =
        (const char *const[]){"ca show [--watch] [--output text|json] [--control-socket PATH]",
                              "ca rotate-root [--watch] [--undo] [--finish] [--skip-unaware] [--output text|json] "
                              "[--control-socket PATH]",
                              NULL},
    .description =
        (const char *const[]){
            "Asks the weftd of this machine over its control socket. In a cluster: kubectl exec -n istio-system "
            "deploy/weftd -- weft ca show.",
            "show prints where the authority comes from, who signs, which roots are trusted and until when, and how a "
            "rotation goes.",
            "rotate-root replaces a self-signed root. A new one is made, and both are trusted; once every proxy has "
            "acknowledged that, the new one signs; once the longest certificate of the former one has run out, it is "
            "forgotten. Until then --undo goes back. No connection is lost on the way.",
            "A root that was plugged in is replaced by replacing its files, and goes the same way by itself; then "
            "--skip-unaware and --finish count too, and who puts the former files back goes back.",
            NULL},
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .operand = "ACTION",
    .operand_choices = actions,
    .operands_min = 1,
    .operands_max = 1,
    .exit_statuses = (const struct command_pair[]){{"0", "Done; with --watch, the rotation has ended."},
                                                   {"1", "weftd cannot be reached, or refuses."},
                                                   {"2", "The command line is wrong."},
                                                   {NULL, NULL}},
    .examples = (const struct command_pair[]){{"weft ca show", "Say who signs, and until when."},
                                              {"weft ca rotate-root --watch", "Replace the root, and see it through."},
                                              {"weft ca rotate-root --undo", "Go back."},
                                              {NULL, NULL}},
    .run = run,
};
