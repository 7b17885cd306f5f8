#include "server/source/kube/kube_secret.h"

#include "base/heap.h"
#include "base/json.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

static void entries_free(struct kube_secret_entry *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].s)
			OPENSSL_cleanse(v[i].s, v[i].n);
		free(v[i].s);
		free(v[i].name);
	}
	free(v);
}

static struct kube_secret *secret_new(void)
{
	struct kube_secret *secret = HEAP_NEW(struct kube_secret);
	atomic_init(&secret->refs, 1);
	return secret;
}

struct kube_secret *kube_secret_ref(struct kube_secret *secret)
{
	atomic_fetch_add_explicit(&secret->refs, 1, memory_order_relaxed);
	return secret;
}

void kube_secret_unref(struct kube_secret *secret)
{
	if (!secret || atomic_fetch_sub_explicit(&secret->refs, 1, memory_order_acq_rel) > 1)
		return;
	entries_free(secret->v, secret->n);
	entries_free(secret->notes, secret->n_notes);
	free(secret->version);
	free(secret);
}

struct kube_secret *kube_secret_absent(void)
{
	struct kube_secret *secret = secret_new();
	secret->digest = digest_of("absent", sizeof "absent");
	return secret;
}

/* Kubernetes writes standard base64 with its padding. NULL: it is none. */
static char *decode_base64(const char *s, size_t n, size_t *out_n)
{
	unsigned char *out = heap_alloc(n / 4 * 3 + 1);
	int got = n % 4 || n > KUBE_SECRET_BYTES_MAX ? -1 : EVP_DecodeBlock(out, (const unsigned char *)s, (int)n);

	if (got < 0) {
		free(out);
		return NULL;
	}
	*out_n = (size_t)got;
	for (size_t i = n; i > 0 && n - i < 2 && s[i - 1] == '='; i--)
		(*out_n)--;
	out[*out_n] = '\0';
	return (char *)out;
}

static bool decode_data(struct kube_secret *secret, const struct json *data, struct error *error)
{
	struct digest_state state;

	if (data && data->type != JSON_OBJECT)
		data = NULL; /* null, as of a Secret with nothing in it */
	if (data && data->object.n > KUBE_SECRET_ENTRIES_MAX)
		return error_set(error, "more than %d entries", KUBE_SECRET_ENTRIES_MAX);
	secret->v = HEAP_NEW_N(struct kube_secret_entry, data ? data->object.n : 0);
	digest_init(&state);
	for (size_t i = 0; data && i < data->object.n; i++) {
		const struct json_member *member = &data->object.v[i];
		struct kube_secret_entry entry = {0};
		if (member->value->type == JSON_STRING)
			entry.s = decode_base64(member->value->string.s, member->value->string.n, &entry.n);
		if (!entry.s)
			return error_set(error, "entry %s is not base64", member->key);
		entry.name = heap_strdup(member->key);
		secret->v[secret->n++] = entry;
		digest_add_str(&state, entry.name);
		digest_add(&state, entry.s, entry.n);
	}
	secret->digest = digest_final(&state);
	return true;
}

static void decode_notes(struct kube_secret *secret, const struct json *annotations)
{
	static const char prefix[] = KUBE_SECRET_NOTES;
	size_t n = annotations && annotations->type == JSON_OBJECT ? annotations->object.n : 0;

	secret->notes = HEAP_NEW_N(struct kube_secret_entry, n);
	for (size_t i = 0; i < n; i++) {
		const struct json_member *member = &annotations->object.v[i];
		if (!text_has_prefix(member->key, prefix) || member->value->type != JSON_STRING)
			continue;
		secret->notes[secret->n_notes++] =
		    (struct kube_secret_entry){heap_strdup(member->key + strlen(prefix)),
		                               heap_strdup(member->value->string.s), member->value->string.n};
	}
}

struct kube_secret *kube_secret_decode(const char *s, size_t n, struct error *error)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct json *document = json_parse(arena, s, n, error);
	if (!document)
		return NULL;
	const char *version = json_get_string(json_get(document, "metadata"), "resourceVersion");
	if (!version) {
		error_set(error, "an answer without a resourceVersion");
		return NULL;
	}
	struct kube_secret *secret = secret_new();
	secret->is_there = true;
	secret->version = heap_strdup(version);
	decode_notes(secret, json_get(json_get(document, "metadata"), "annotations"));
	if (decode_data(secret, json_get(document, "data"), error))
		return secret;
	kube_secret_unref(secret);
	return NULL;
}

/* Without the entry, if there is one. */
static void write_remove(struct kube_secret_write *write, const char *name)
{
	for (size_t i = 0; i < write->n; i++) {
		struct kube_secret_entry entry = write->v[i];
		if (strcmp(entry.name, name) != 0)
			continue;
		write->v[i] = write->v[--write->n];
		if (entry.s)
			OPENSSL_cleanse(entry.s, entry.n);
		free(entry.s);
		free(entry.name);
		return;
	}
}

static void write_clear(struct kube_secret_write *write)
{
	entries_free(write->v, write->n);
	write->v = NULL;
	write->n = 0;
}

void kube_secret_write_add(struct kube_secret_write *write, const char *name, const char *s, size_t n)
{
	write_remove(write, name);
	struct kube_secret_entry *v = HEAP_NEW_N(struct kube_secret_entry, write->n + 1);

	if (write->n)
		memcpy(v, write->v, write->n * sizeof *v);
	free(write->v);
	write->v = v;
	v[write->n++] = (struct kube_secret_entry){heap_strdup(name), s ? heap_strndup(s, n) : NULL, s ? n : 0};
}

void kube_secret_write_free(void *write)
{
	struct kube_secret_write *mine = write;
	if (!mine)
		return;
	write_clear(mine);
	free(mine->version);
	free(mine);
}

/* ---- where the threads meet ---- */

struct kube_secret_cell {
	const struct wake *wake;
	pthread_mutex_t mutex;
	struct kube_secret *value;
	struct kube_secret_write *wanted;
	struct kube_secret_write annotations; /* that are wanted */
	struct error note;
};

struct kube_secret_cell *kube_secret_cell_new(const struct wake *wake)
{
	struct kube_secret_cell *cell = HEAP_NEW(struct kube_secret_cell);
	cell->wake = wake;
	pthread_mutex_init(&cell->mutex, NULL);
	return cell;
}

void kube_secret_cell_free(struct kube_secret_cell *cell)
{
	if (!cell)
		return;
	kube_secret_unref(cell->value);
	kube_secret_write_free(cell->wanted);
	write_clear(&cell->annotations);
	pthread_mutex_destroy(&cell->mutex);
	free(cell);
}

struct kube_secret *kube_secret_cell_get(struct kube_secret_cell *cell, struct error *note)
{
	pthread_mutex_lock(&cell->mutex);
	struct kube_secret *value = cell->value ? kube_secret_ref(cell->value) : NULL;
	if (note)
		*note = cell->note;
	pthread_mutex_unlock(&cell->mutex);
	return value;
}

void kube_secret_cell_want(struct kube_secret_cell *cell, struct kube_secret_write *write)
{
	pthread_mutex_lock(&cell->mutex);
	struct kube_secret_write *former = cell->wanted;
	cell->wanted = write;
	pthread_mutex_unlock(&cell->mutex);
	kube_secret_write_free(former);
	if (cell->wake)
		wake_up(cell->wake);
}

void kube_secret_cell_note(struct kube_secret_cell *cell, const char *name, const char *value)
{
	pthread_mutex_lock(&cell->mutex);
	kube_secret_write_add(&cell->annotations, name, value, value ? strlen(value) : 0);
	pthread_mutex_unlock(&cell->mutex);
	if (cell->wake)
		wake_up(cell->wake);
}

/* As a JSON object. Whether there were some. */
static bool cell_take_annotations(struct kube_secret_cell *cell, struct text *out)
{
	pthread_mutex_lock(&cell->mutex);
	size_t n = cell->annotations.n;
	text_add(out, "{");
	for (size_t i = 0; i < n; i++) {
		const struct kube_secret_entry *note = &cell->annotations.v[i];
		text_printf(out, "%s\"" KUBE_SECRET_NOTES "%s\":", i ? "," : "", note->name);
		if (note->s)
			text_add_json_string(out, note->s, note->n);
		else
			text_add(out, "null");
	}
	text_add(out, "}");
	write_clear(&cell->annotations);
	pthread_mutex_unlock(&cell->mutex);
	return n > 0;
}

static struct kube_secret_write *cell_take(struct kube_secret_cell *cell)
{
	pthread_mutex_lock(&cell->mutex);
	struct kube_secret_write *wanted = cell->wanted;
	cell->wanted = NULL;
	pthread_mutex_unlock(&cell->mutex);
	return wanted;
}

static bool cell_is_wanting(struct kube_secret_cell *cell)
{
	pthread_mutex_lock(&cell->mutex);
	bool is_wanting = cell->wanted || cell->annotations.n;
	pthread_mutex_unlock(&cell->mutex);
	return is_wanting;
}

/* The value moves in. Whether it says something else than the former. */
static bool cell_put(struct kube_secret_cell *cell, struct kube_secret *value)
{
	pthread_mutex_lock(&cell->mutex);
	struct kube_secret *former = cell->value;
	bool is_same = former && former->is_there == value->is_there && digest_equal(former->digest, value->digest) &&
	               text_equal(former->version, value->version) && !*cell->note.message;
	cell->value = value;
	cell->note.message[0] = '\0';
	pthread_mutex_unlock(&cell->mutex);
	kube_secret_unref(former);
	return !is_same;
}

static void cell_note(struct kube_secret_cell *cell, const char *what)
{
	pthread_mutex_lock(&cell->mutex);
	error_set(&cell->note, "%s", what);
	pthread_mutex_unlock(&cell->mutex);
}

/* ---- the machine ---- */

struct kube_secret_poll {
	struct kube_secret_poll_options options;
	char *namespace, *name;
	bool is_under_way, is_writing;
	int64_t at_ns, pause_ns; /* when it is read again; nothing is asked before */
	struct text path, body, answer;
	struct kube_request request;
};

static void wipe(struct text *text)
{
	if (text->s)
		OPENSSL_cleanse(text->s, text->cap);
	text->n = 0;
}

struct kube_secret_poll *kube_secret_poll_new(const struct kube_secret_poll_options *options)
{
	struct kube_secret_poll *poll = HEAP_NEW(struct kube_secret_poll);
	poll->options = *options;
	poll->namespace = heap_strdup(options->namespace);
	poll->name = heap_strdup(options->name);
	return poll;
}

void kube_secret_poll_free(struct kube_secret_poll *poll)
{
	if (!poll)
		return;
	wipe(&poll->body);
	wipe(&poll->answer);
	text_done(&poll->path);
	text_done(&poll->body);
	text_done(&poll->answer);
	free(poll->namespace);
	free(poll->name);
	free(poll);
}

static void print_path(struct kube_secret_poll *poll, bool is_named)
{
	poll->path.n = 0;
	text_printf(&poll->path, "/api/v1/namespaces/%s/secrets", poll->namespace);
	if (is_named)
		text_printf(&poll->path, "/%s", poll->name);
}

static void print_data(const struct kube_secret_write *write, struct text *out)
{
	for (size_t i = 0; i < write->n; i++) {
		const struct kube_secret_entry *entry = &write->v[i];
		text_printf(out, "%s\"%s\":", i ? "," : "", entry->name);
		if (!entry->s) {
			text_add(out, "null");
			continue;
		}
		char *base64 = heap_alloc(entry->n / 3 * 4 + 5);
		int n = EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)entry->s, (int)entry->n);
		text_add_char(out, '"');
		text_add_n(out, base64, (size_t)n);
		text_add_char(out, '"');
		OPENSSL_cleanse(base64, (size_t)n);
		free(base64);
	}
}

static void print_write(struct kube_secret_poll *poll, const struct kube_secret_write *write)
{
	struct text *out = &poll->body;
	size_t size = 1024;

	for (size_t i = 0; i < write->n; i++)
		size += 128 + write->v[i].n * 2;
	wipe(out);
	text_done(out);
	out->s = heap_alloc(size); /* so that no growing leaves a copy of a key behind */
	out->cap = size;
	text_add(out, "{");
	if (!write->version)
		text_add(out, "\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"type\":\"istio.io/ca-root\",");
	text_add(out, "\"metadata\":{");
	text_add_json_member(out, "name", poll->name);
	if (write->version)
		text_add_json_member(out, "resourceVersion", write->version);
	text_add(out, "},\"data\":{");
	print_data(write, out);
	text_add(out, "}}");
}

static const struct kube_request *begin(struct kube_secret_poll *poll, const char *method, const char *content_type)
{
	poll->request = (struct kube_request){
	    .method = method,
	    .path = poll->path.s,
	    .content_type = content_type,
	    .body = text_get(&poll->body),
	    .n_body = poll->body.n,
	    .timeout_ms = KUBE_SECRET_TIMEOUT_MS,
	};
	poll->is_under_way = true;
	wipe(&poll->answer);
	return &poll->request;
}

static const struct kube_request *begin_note(struct kube_secret_poll *poll)
{
	CLEANUP(text_done) struct text annotations = {0};

	wipe(&poll->body);
	text_add(&poll->body, "{\"metadata\":{\"annotations\":");
	if (!cell_take_annotations(poll->options.cell, &annotations))
		return begin(poll, "GET", NULL);
	text_add_n(&poll->body, annotations.s, annotations.n);
	text_add(&poll->body, "}}");
	poll->is_writing = true;
	return begin(poll, "PATCH", "application/merge-patch+json");
}

const struct kube_request *kube_secret_poll_next(struct kube_secret_poll *poll, int64_t *at_ns)
{
	int64_t now_ns = clock_now_ns(poll->options.clock);
	bool is_wanting = cell_is_wanting(poll->options.cell);

	*at_ns = poll->is_under_way ? INT64_MAX : is_wanting ? poll->pause_ns : poll->at_ns;
	if (now_ns < *at_ns)
		return NULL;
	struct kube_secret_write *write = is_wanting ? cell_take(poll->options.cell) : NULL;
	poll->is_writing = write != NULL;
	print_path(poll, !write || write->version);
	if (!write)
		return is_wanting ? begin_note(poll) : begin(poll, "GET", NULL);
	bool is_new = !write->version;
	print_write(poll, write);
	kube_secret_write_free(write);
	return begin(poll, is_new ? "POST" : "PATCH", is_new ? "application/json" : "application/merge-patch+json");
}

bool kube_secret_poll_body(struct kube_secret_poll *poll, const char *s, size_t n)
{
	if (n > KUBE_SECRET_BYTES_MAX - poll->answer.n)
		return false;
	text_add_n(&poll->answer, s, n);
	return true;
}

static void end_write(struct kube_secret_poll *poll, const struct kube_response *response)
{
	bool is_done = response->status >= 200 && response->status < 300;

	wipe(&poll->body);
	poll->at_ns = clock_now_ns(poll->options.clock); /* read it again, whatever became of it */
	if (is_done || response->status == 409)
		return;
	poll->at_ns = poll->pause_ns = poll->at_ns + KUBE_SECRET_RETRY_S * CLOCK_S;
	cell_note(poll->options.cell, response->error);
	poll->options.on_change(poll->options.context);
}

static void end_read(struct kube_secret_poll *poll, const struct kube_response *response)
{
	bool is_there = response->status >= 200 && response->status < 300;
	struct error error;
	struct kube_secret *value = NULL;

	error_set(&error, "%s", response->error ? response->error : "");
	if (is_there)
		value = kube_secret_decode(text_get(&poll->answer), poll->answer.n, &error);
	else if (response->status == 404)
		value = kube_secret_absent();
	wipe(&poll->answer);
	poll->at_ns = clock_now_ns(poll->options.clock) + (value ? KUBE_SECRET_POLL_S : KUBE_SECRET_RETRY_S) * CLOCK_S;
	if (value && !cell_put(poll->options.cell, value))
		return;
	if (!value) {
		poll->pause_ns = poll->at_ns;
		cell_note(poll->options.cell, error.message);
	}
	poll->options.on_change(poll->options.context);
}

void kube_secret_poll_ended(struct kube_secret_poll *poll, const struct kube_response *response)
{
	poll->is_under_way = false;
	if (poll->is_writing)
		end_write(poll, response);
	else
		end_read(poll, response);
}
