#include "server/control.h"

#include "base/heap.h"
#include "http/http.h"
#include "server/identity/keeper_print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/run/weft"

struct control {
	struct keeper *keeper;
	struct cert_service *certs;
	struct text path;
	struct http_server *http;
};

static void answer(struct control *control, bool is_done, const struct error *error, struct http_response *response)
{
	if (!is_done) {
		response->status = 409;
		text_printf(&response->body, "%s\n", error->message);
		return;
	}
	response->content_type = "application/json";
	keeper_print(control->keeper, control->certs, &response->body);
}

static bool has_flag(const char *query, const char *name)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	return text_equal(http_query_get(arena, query, name), "1");
}

static void handle(void *context, const struct http_request *request, struct http_response *response)
{
	struct control *control = context;
	struct error error = {""};

	if (!strcmp(request->path, "/ca") && !request->is_post) {
		answer(control, true, &error, response);
	} else if (!strcmp(request->path, "/ca/rotate") && request->is_post) {
		enum keeper_command command =
		    has_flag(request->query, "skip-unaware") ? KEEPER_ROTATE_SKIPPING_UNAWARE : KEEPER_ROTATE;
		answer(control, keeper_command(control->keeper, command, &error), &error, response);
	} else if (!strcmp(request->path, "/ca/undo") && request->is_post) {
		answer(control, keeper_command(control->keeper, KEEPER_UNDO, &error), &error, response);
	} else if (!strcmp(request->path, "/ca/finish") && request->is_post) {
		answer(control, keeper_command(control->keeper, KEEPER_FINISH, &error), &error, response);
	} else {
		response->status = 404;
		text_add(&response->body, "there is nothing of that name and method here\n");
	}
}

static bool choose_path(struct control *control, const struct control_options *options, struct error *error)
{
	if (options->path) {
		text_add(&control->path, options->path);
	} else if (options->state_dir) {
		text_printf(&control->path, "%s/" CONTROL_NAME, options->state_dir);
		if (mkdir(options->state_dir, 0700) && errno != EEXIST)
			return error_set_errno(error, errno, "%s", options->state_dir);
	} else {
		text_add(&control->path, CONTROL_SOCKET);
		if (mkdir(FOLDER, 0700) && errno != EEXIST)
			return error_set_errno(error, errno, "%s", FOLDER);
	}
	return true;
}

struct control *control_new(const struct control_options *options, struct error *error)
{
	struct control *control = HEAP_NEW(struct control);

	control->keeper = options->keeper;
	control->certs = options->certs;
	if (choose_path(control, options, error))
		control->http = http_server_new(
		    &(struct http_options){
		        .socket_path = control->path.s, .has_post = true, .handle = handle, .context = control},
		    error);
	if (control->http)
		return control;
	text_done(&control->path);
	free(control);
	return NULL;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	http_server_free(control->http);
	unlink(control->path.s);
	text_done(&control->path);
	free(control);
}

const char *control_path(const struct control *control)
{
	return control->path.s;
}
