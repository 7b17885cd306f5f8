#include "server/source/kube/kube_credentials.h"

#include "base/heap.h"
#include "base/text.h"
#include "server/source/kube/kube_exec.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A file whose content may be replaced at any time. */
struct watched {
	const char *path; /* NULL: none */
	size_t max;
	bool is_pem;
	bool is_read;
	int64_t look_ns; /* when to look again */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
	struct text content;
	struct error error; /* why it could not be read, the last time */
};

struct kube_credentials {
	const struct kube_config *config;
	const struct clock *clock;
	struct watched token, ca, cert, key;

	struct arena *exec_arena; /* of what the plugin gave; NULL: nothing yet */
	struct kube_exec_credential exec;
	bool is_exec_refused;
	bool has_exec_run;
	int64_t exec_ns;         /* when it was run last */
	struct error exec_error; /* why it gave nothing, the last time */

	struct text authorization;
};

static struct watched watched_of(const char *path, size_t max, bool is_pem)
{
	return (struct watched){.path = path, .max = max, .is_pem = is_pem};
}

struct kube_credentials *kube_credentials_new(const struct kube_config *config, const struct clock *clock)
{
	struct kube_credentials *credentials = HEAP_NEW(struct kube_credentials);
	*credentials = (struct kube_credentials){
	    .config = config,
	    .clock = clock,
	    .token = watched_of(config->token_file, KUBE_TOKEN_BYTES_MAX, false),
	    .ca = watched_of(config->ca.file, KUBE_PEM_BYTES_MAX, true),
	    .cert = watched_of(config->cert.file, KUBE_PEM_BYTES_MAX, true),
	    .key = watched_of(config->key.file, KUBE_PEM_BYTES_MAX, true),
	};
	return credentials;
}

/* Secrets do not stay behind in freed memory. */
static void wipe(struct text *text)
{
	if (text->s)
		explicit_bzero(text->s, text->cap);
	text_done(text);
}

void kube_credentials_free(struct kube_credentials *credentials)
{
	if (!credentials)
		return;
	wipe(&credentials->token.content);
	wipe(&credentials->ca.content);
	wipe(&credentials->cert.content);
	wipe(&credentials->key.content);
	wipe(&credentials->authorization);
	arena_free(credentials->exec_arena);
	free(credentials);
}

/* ---- files ---- */

/* Whether the text is all of what it should be: a file that is being written is not. */
static bool is_whole(const struct watched *file, const char *s, size_t n)
{
	static const char end[] = "-----END ";
	if (!file->is_pem)
		return kube_token_is_fit(s, n);
	return n > 0 && text_is_utf8(s, n) && strstr(s, end) != NULL;
}

static void take(struct watched *file, const char *s, size_t n)
{
	wipe(&file->content);
	file->content = (struct text){0};
	text_add_n(&file->content, s, n);
}

/* Looks at the file, if it is time to. */
static void look(struct watched *file, int64_t now_ns)
{
	CLEANUP(arena_freep) struct arena *arena = NULL;
	struct stat status;
	size_t n = 0;

	if (!file->path || (file->is_read && now_ns < file->look_ns))
		return;
	file->look_ns = now_ns + KUBE_CREDENTIALS_LOOK_MS * CLOCK_MS;
	bool is_there = stat(file->path, &status) == 0;
	if (is_there && file->is_read && status.st_dev == file->dev && status.st_ino == file->ino &&
	    status.st_size == file->size && status.st_mtim.tv_sec == file->mtime.tv_sec &&
	    status.st_mtim.tv_nsec == file->mtime.tv_nsec)
		return;
	arena = arena_new();
	const char *s = kube_read_file(arena, file->path, file->max, &n, &file->error);
	if (!s)
		return;
	while (!file->is_pem && n > 0 && strchr(" \t\r\n", s[n - 1]))
		n--;
	if (!is_whole(file, s, n)) {
		error_set(&file->error, "%s is not whole", file->path);
		return;
	}
	take(file, s, n);
	file->is_read = true;
	file->dev = status.st_dev;
	file->ino = status.st_ino;
	file->size = status.st_size;
	file->mtime = status.st_mtim;
}

/* The file's content, else what the kubeconfig has itself. False: there should be some, and never was. */
static bool get_pem(struct watched *file, const struct kube_pem *own, struct kube_pem *ret, struct error *error)
{
	*ret = *own;
	if (!file->path)
		return true;
	if (!file->is_read) {
		*error = file->error;
		return false;
	}
	ret->data = text_get(&file->content);
	ret->n = file->content.n;
	return true;
}

/* ---- plugins ---- */

static bool is_exec_due(const struct kube_credentials *credentials, int64_t now_ns)
{
	int64_t wall_s = clock_wall_ns(credentials->clock) / CLOCK_S;
	if (credentials->has_exec_run && now_ns - credentials->exec_ns < KUBE_CREDENTIALS_EXEC_GAP_S * CLOCK_S)
		return false;
	return !credentials->exec_arena || credentials->is_exec_refused ||
	       (credentials->exec.expires_s && wall_s >= credentials->exec.expires_s - KUBE_CREDENTIALS_EARLY_S);
}

static void run_exec(struct kube_credentials *credentials)
{
	struct kube_exec_credential fresh;
	struct arena *arena = arena_new();
	bool is_done =
	    kube_exec_run(arena, credentials->config, KUBE_EXEC_DEADLINE_MS, &fresh, &credentials->exec_error);

	credentials->has_exec_run = true;
	credentials->exec_ns = clock_now_ns(credentials->clock);
	if (!is_done) {
		arena_free(arena);
		return; /* the former one may still be good */
	}
	arena_free(credentials->exec_arena);
	credentials->exec_arena = arena;
	credentials->exec = fresh;
	credentials->is_exec_refused = false;
}

static bool get_exec(struct kube_credentials *credentials, int64_t now_ns, struct error *error)
{
	if (is_exec_due(credentials, now_ns))
		run_exec(credentials);
	if (credentials->exec_arena)
		return true;
	*error = credentials->exec_error;
	return false;
}

static void take_exec(const struct kube_credentials *credentials, struct kube_credential *ret)
{
	const struct kube_exec_credential *exec = &credentials->exec;
	if (!exec->cert)
		return;
	ret->cert = (struct kube_pem){.data = exec->cert, .n = strlen(exec->cert)};
	ret->key = (struct kube_pem){.data = exec->key, .n = strlen(exec->key)};
}

/* ---- the header ---- */

static void print_basic(const char *username, const char *password, struct text *out)
{
	CLEANUP(wipe) struct text pair = {0};
	text_printf(&pair, "%s:%s", username, password ? password : "");
	unsigned char *encoded = heap_alloc(pair.n / 3 * 4 + 5);
	EVP_EncodeBlock(encoded, (const unsigned char *)pair.s, (int)pair.n);
	text_printf(out, "Basic %s", (const char *)encoded);
	free(encoded);
}

static void print_authorization(struct kube_credentials *credentials)
{
	const struct kube_config *config = credentials->config;
	struct text *out = &credentials->authorization;

	wipe(out);
	if (config->token_file && credentials->token.is_read)
		text_printf(out, "Bearer %s", text_get(&credentials->token.content));
	else if (config->token)
		text_printf(out, "Bearer %s", config->token);
	else if (config->exec && credentials->exec.token)
		text_printf(out, "Bearer %s", credentials->exec.token);
	else if (config->username)
		print_basic(config->username, config->password, out);
}

bool kube_credentials_get(struct kube_credentials *credentials, struct kube_credential *ret, struct error *error)
{
	const struct kube_config *config = credentials->config;
	int64_t now_ns = clock_now_ns(credentials->clock);

	*ret = (struct kube_credential){0};
	look(&credentials->token, now_ns);
	look(&credentials->ca, now_ns);
	look(&credentials->cert, now_ns);
	look(&credentials->key, now_ns);
	if (config->token_file && !credentials->token.is_read && !config->token) {
		*error = credentials->token.error;
		return false;
	}
	if (!get_pem(&credentials->ca, &config->ca, &ret->ca, error) ||
	    !get_pem(&credentials->cert, &config->cert, &ret->cert, error) ||
	    !get_pem(&credentials->key, &config->key, &ret->key, error))
		return false;
	if (config->exec) {
		if (!get_exec(credentials, now_ns, error))
			return false;
		take_exec(credentials, ret);
	}
	print_authorization(credentials);
	ret->authorization = credentials->authorization.n ? credentials->authorization.s : NULL;
	return true;
}

void kube_credentials_reject(struct kube_credentials *credentials)
{
	struct watched *const files[] = {&credentials->token, &credentials->ca, &credentials->cert, &credentials->key};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		files[i]->look_ns = 0;
		files[i]->mtime = (struct timespec){0};
	}
	credentials->is_exec_refused = true;
}
