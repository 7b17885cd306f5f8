#include "rpc/grpc_client.h"

#include "base/heap.h"
#include "rpc/grpc_log.h"
#include "rpc/grpc_private.h"

#include <assert.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define KEEPALIVE_TIME_MS 30000
#define KEEPALIVE_TIMEOUT_MS 10000
#define METADATA_MAX 2 /* entries that a call sends */

struct grpc_client_call {
	struct grpc_client *client;
	const struct grpc_client_handler *handler;
	void *context;
	grpc_call *call;
	struct tag status_tag, begin, receive, send, send_end;
	grpc_metadata_array initial, trailing;
	grpc_byte_buffer *received, *sending;
	grpc_status_code status;
	grpc_slice details;
	unsigned n_tags; /* on their way; with none left it has ended */
	bool is_send_ended, is_over /* nothing more is begun */;
	_Atomic unsigned refs;
	struct grpc_client_call *next, *previous; /* of those that have not ended */
};

/* The lock is for starting batches and counting tags; no callback comes under it. */
struct grpc_client {
	grpc_completion_queue *queue;
	grpc_channel *channel;
	bool is_encrypted;
	pthread_t thread;
	pthread_mutex_t mutex;
	struct grpc_client_call *calls;
	bool is_stopping;
};

/* ---- calls ---- */

static void call_batch(struct grpc_client_call *call, const grpc_op *ops, size_t n_ops, struct tag *tag)
{
	grpc_call_error result = grpc_call_start_batch(call->call, ops, n_ops, tag, NULL);
	assert(result == GRPC_CALL_OK);
	call->n_tags++;
}

static void call_receive(struct grpc_client_call *call)
{
	const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->received};
	call_batch(call, &op, 1, &call->receive);
}

static void call_start(struct grpc_client_call *call, grpc_metadata *metadata, size_t n_metadata)
{
	const grpc_op status = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
	                        .data.recv_status_on_client = {.trailing_metadata = &call->trailing,
	                                                       .status = &call->status,
	                                                       .status_details = &call->details}};
	const grpc_op begin[] = {
	    {.op = GRPC_OP_SEND_INITIAL_METADATA,
	     .data.send_initial_metadata = {.count = n_metadata, .metadata = metadata}},
	    {.op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &call->initial},
	};

	call_batch(call, &status, 1, &call->status_tag);
	call_batch(call, begin, 2, &call->begin);
	call_receive(call);
}

static struct grpc_client_call *call_new(struct grpc_client *client, const struct grpc_client_call_options *options)
{
	struct grpc_client_call *call = HEAP_NEW(struct grpc_client_call);
	grpc_slice path = grpc_slice_from_copied_string(options->path);
	gpr_timespec deadline = gpr_inf_future(GPR_CLOCK_MONOTONIC);

	if (options->deadline_ms)
		deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
		                        gpr_time_from_millis(options->deadline_ms, GPR_TIMESPAN));
	call->client = client;
	call->handler = options->handler;
	call->context = options->context;
	call->status_tag = call->begin = call->send_end = (struct tag){TAG_DONE, call};
	call->receive = (struct tag){TAG_RECEIVE, call};
	call->send = (struct tag){TAG_SEND, call};
	call->details = grpc_empty_slice();
	grpc_metadata_array_init(&call->initial);
	grpc_metadata_array_init(&call->trailing);
	atomic_init(&call->refs, 2); /* the caller's and the client's */
	call->call = grpc_channel_create_call(client->channel, NULL, GRPC_PROPAGATE_DEFAULTS, client->queue, path, NULL,
	                                      deadline, NULL);
	grpc_slice_unref(path);
	call->next = client->calls;
	if (call->next)
		call->next->previous = call;
	client->calls = call;
	return call;
}

void grpc_client_call_unref(struct grpc_client_call *call)
{
	if (!call || atomic_fetch_sub(&call->refs, 1) > 1)
		return;
	grpc_call_unref(call->call);
	grpc_slice_unref(call->details);
	grpc_metadata_clear(&call->initial);
	grpc_metadata_clear(&call->trailing);
	free(call);
}

/* ---- metadata ---- */

static void metadata_done(grpc_metadata *metadata, size_t n)
{
	for (size_t i = 0; i < n; i++)
		grpc_slice_unref(metadata[i].value);
}

/* A slice that owns the text. */
static bool metadata_add(grpc_metadata *metadata, size_t *n, const char *key, const struct text *value,
                         struct error *error)
{
	grpc_slice slice = grpc_slice_from_copied_buffer(text_get(value), value->n);

	assert(*n < METADATA_MAX);
	if (!grpc_header_nonbin_value_is_legal(slice)) {
		grpc_slice_unref(slice);
		return error_set(error, "what is to be sent as \"%s\" has characters that no header may have", key);
	}
	metadata[(*n)++] = (grpc_metadata){.key = grpc_slice_from_static_string(key), .value = slice};
	return true;
}

static void secret_done(struct text *text)
{
	if (text->s)
		OPENSSL_cleanse(text->s, text->cap);
	text_done(text);
}

static bool metadata_make(const struct grpc_client_call_options *options, grpc_metadata *metadata, size_t *n,
                          struct error *error)
{
	CLEANUP(secret_done) struct text authorization = {0};
	CLEANUP(text_done) struct text cluster = {0};

	if (options->token)
		text_printf(&authorization, "Bearer %s", options->token);
	if (options->cluster)
		text_add(&cluster, options->cluster);
	return (!options->token || metadata_add(metadata, n, "authorization", &authorization, error)) &&
	       (!options->cluster || metadata_add(metadata, n, "clusterid", &cluster, error));
}

/* ---- what the caller does ---- */

static void send_locked(struct grpc_client_call *call, struct buffer *message);

static struct grpc_client_call *client_open(struct grpc_client *client, const struct grpc_client_call_options *options,
                                            struct buffer *message, struct error *error)
{
	grpc_metadata metadata[METADATA_MAX];
	struct grpc_client_call *call = NULL;
	size_t n = 0;

	assert(!options->token || client->is_encrypted);
	if (metadata_make(options, metadata, &n, error)) {
		pthread_mutex_lock(&client->mutex);
		assert(!client->is_stopping);
		call = call_new(client, options);
		call_start(call, metadata, n);
		if (message)
			send_locked(call, message);
		pthread_mutex_unlock(&client->mutex);
	}
	metadata_done(metadata, n);
	return call;
}

struct grpc_client_call *grpc_client_open(struct grpc_client *client, const struct grpc_client_call_options *options,
                                          struct error *error)
{
	return client_open(client, options, NULL, error);
}

static void slice_done(void *buffer)
{
	buffer_unref(buffer);
}

static void send_locked(struct grpc_client_call *call, struct buffer *message)
{
	assert(!call->sending && !call->is_send_ended);
	grpc_slice slice = grpc_slice_new_with_user_data(message->data, message->n, slice_done, buffer_ref(message));
	call->sending = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	const grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = call->sending};
	call_batch(call, &op, 1, &call->send);
}

void grpc_client_send(struct grpc_client_call *call, struct buffer *message)
{
	pthread_mutex_lock(&call->client->mutex);
	if (!call->is_over)
		send_locked(call, message);
	pthread_mutex_unlock(&call->client->mutex);
}

void grpc_client_send_end(struct grpc_client_call *call)
{
	const grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};

	pthread_mutex_lock(&call->client->mutex);
	if (!call->is_over && !call->is_send_ended) {
		call->is_send_ended = true;
		call_batch(call, &op, 1, &call->send_end);
	}
	pthread_mutex_unlock(&call->client->mutex);
}

void grpc_client_cancel(struct grpc_client_call *call)
{
	grpc_call_cancel(call->call, NULL);
}

bool grpc_client_unary(struct grpc_client *client, const struct grpc_client_call_options *options,
                       struct buffer *message, struct error *error)
{
	struct grpc_client_call *call = client_open(client, options, message, error);

	if (!call)
		return false;
	grpc_client_send_end(call);
	grpc_client_call_unref(call);
	return true;
}

/* ---- events, on the client's thread ---- */

static void call_end(struct grpc_client_call *call)
{
	struct text message = {0};

	text_add_n(&message, GRPC_SLICE_START_PTR(call->details), GRPC_SLICE_LENGTH(call->details));
	call->handler->end(call->context, (enum transport_status)call->status, text_get(&message));
	text_done(&message);
	grpc_client_call_unref(call);
}

/* A tag came back; the last one brings the end. */
static void call_settle(struct grpc_client_call *call)
{
	struct grpc_client *client = call->client;

	pthread_mutex_lock(&client->mutex);
	assert(call->n_tags > 0);
	bool is_last = --call->n_tags == 0;
	if (is_last) {
		call->is_over = true;
		*(call->previous ? &call->previous->next : &client->calls) = call->next;
		if (call->next)
			call->next->previous = call->previous;
	}
	pthread_mutex_unlock(&client->mutex);
	if (is_last)
		call_end(call);
}

static void on_receive(struct grpc_client_call *call)
{
	grpc_byte_buffer *received = call->received;
	grpc_byte_buffer_reader reader;

	call->received = NULL;
	if (received && grpc_byte_buffer_reader_init(&reader, received)) {
		grpc_slice slice = grpc_byte_buffer_reader_readall(&reader);
		call->handler->message(call->context, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
		grpc_slice_unref(slice);
		grpc_byte_buffer_reader_destroy(&reader);
	}
	grpc_byte_buffer_destroy(received);
	pthread_mutex_lock(&call->client->mutex);
	if (received && !call->is_over)
		call_receive(call);
	else
		call->is_over = true; /* the status is here or on its way */
	pthread_mutex_unlock(&call->client->mutex);
	call_settle(call);
}

static void on_send(struct grpc_client_call *call, bool is_ok)
{
	pthread_mutex_lock(&call->client->mutex);
	grpc_byte_buffer_destroy(call->sending);
	call->sending = NULL;
	bool is_ready = is_ok && !call->is_over && !call->is_send_ended;
	pthread_mutex_unlock(&call->client->mutex);
	if (is_ready && call->handler->ready)
		call->handler->ready(call->context);
	call_settle(call);
}

static void *client_thread(void *argument)
{
	struct grpc_client *client = argument;

	for (;;) {
		grpc_event event = grpc_completion_queue_next(client->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		/* under the lock, since it was written under it: gRPC's queue would do, but shows nobody so */
		pthread_mutex_lock(&client->mutex);
		const struct tag tag = *(const struct tag *)event.tag;
		pthread_mutex_unlock(&client->mutex);
		if (tag.kind == TAG_RECEIVE)
			on_receive(tag.owner);
		else if (tag.kind == TAG_SEND)
			on_send(tag.owner, event.success);
		else
			call_settle(tag.owner);
	}
}

/* ---- life ---- */

static grpc_channel_credentials *client_credentials(const struct grpc_client_options *options)
{
	grpc_ssl_pem_key_cert_pair pair = {.private_key = options->key, .cert_chain = options->chain};

	if (!options->roots)
		return grpc_insecure_credentials_create();
	return grpc_ssl_credentials_create_ex(options->roots, options->chain ? &pair : NULL, NULL, NULL);
}

static grpc_channel *client_channel(const struct grpc_client_options *options)
{
	size_t max_bytes = options->max_message_bytes ? options->max_message_bytes : CLIENT_MESSAGE_MAX, n = 0;
	grpc_arg args[16];

	args[n++] = grpc_integer_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, (int)max_bytes);
	args[n++] = grpc_integer_arg(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_TIME_MS);
	args[n++] = grpc_integer_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS);
	args[n++] = grpc_integer_arg(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
	args[n++] = grpc_integer_arg(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, CLIENT_BACKOFF_MIN_MS);
	args[n++] = grpc_integer_arg(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CLIENT_BACKOFF_MAX_MS); /* bounds connecting */
	args[n++] = grpc_integer_arg(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, CLIENT_BACKOFF_MAX_MS);
	args[n++] = grpc_integer_arg(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
	args[n++] = grpc_integer_arg(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
	/* else another channel's connection might be used, with that one's credentials */
	args[n++] = grpc_integer_arg(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
	args[n++] = grpc_integer_arg(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1);
	char *name = options->server_name ? heap_strdup(options->server_name) : NULL;
	if (name) {
		args[n] = grpc_integer_arg(GRPC_SSL_TARGET_NAME_OVERRIDE_ARG, 0);
		args[n].type = GRPC_ARG_STRING;
		args[n++].value.string = name;
	}
	assert(n <= sizeof args / sizeof args[0]);
	const grpc_channel_args channel_args = {.num_args = n, .args = args};
	grpc_channel_credentials *credentials = client_credentials(options);
	grpc_channel *channel = grpc_channel_create(options->target, credentials, &channel_args);
	grpc_channel_credentials_release(credentials);
	free(name);
	return channel;
}

struct grpc_client *grpc_client_new(const struct grpc_client_options *options, struct error *error)
{
	const struct grpc_tls_material material = {options->chain, options->key, options->roots};

	assert(options->roots || !options->chain);
	if (options->roots && !grpc_material_check(&material, error))
		return NULL;
	struct grpc_client *client = HEAP_NEW(struct grpc_client);
	grpc_log_install();
	grpc_init();
	client->is_encrypted = options->roots != NULL;
	client->queue = grpc_completion_queue_create_for_next(NULL);
	client->channel = client_channel(options);
	pthread_mutex_init(&client->mutex, NULL);
	int result = pthread_create(&client->thread, NULL, client_thread, client);
	assert(result == 0);
	return client;
}

void grpc_client_free(struct grpc_client *client)
{
	if (!client)
		return;
	pthread_mutex_lock(&client->mutex);
	client->is_stopping = true;
	for (struct grpc_client_call *call = client->calls; call; call = call->next) {
		call->is_over = true;
		grpc_call_cancel(call->call, NULL);
	}
	grpc_completion_queue_shutdown(client->queue);
	pthread_mutex_unlock(&client->mutex);
	pthread_join(client->thread, NULL);
	assert(!client->calls);
	grpc_channel_destroy(client->channel);
	grpc_completion_queue_destroy(client->queue);
	pthread_mutex_destroy(&client->mutex);
	free(client);
	grpc_shutdown_blocking();
}
