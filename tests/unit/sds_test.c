#include "agent/sds.h"

#include "base/text.h"
#include "proto/envoy.h"
#include "proto/pack.h"
#include "tests/unit/unit.h"

#include <stdio.h>

/* An Envoy with one stream; what it is sent is written down as "NAME=CONTENT" with its nonce. */
struct envoy {
	struct transport_stream base;
	struct sds *sds;
	struct transport_handler handler;
	void *stream;
	enum sds_method method;
	struct text log;
	bool is_sent;
	char nonce[32];
	int status; /* -1: open */
	unsigned changes;
};

static struct arena *arena;

static const char *bytes_text(const envoy_data_source *source)
{
	return arena_strndup(arena, (const char *)source->inline_bytes.data, source->inline_bytes.len);
}

static void log_secret(struct envoy *envoy, const google_any *any)
{
	ck_assert_str_eq(any->type_url, SDS_TYPE_URL);
	const envoy_secret *secret =
	    (const envoy_secret *)unpack_own(arena, envoy_secret_type(), any->value.data, any->value.len);
	text_printf(&envoy->log, "%s%s=", envoy->log.n ? " " : "", secret->name);
	if (secret->type_case == ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_TLS_CERTIFICATE)
		text_printf(&envoy->log, "%s/%s", bytes_text(secret->tls_certificate->certificate_chain),
		            bytes_text(secret->tls_certificate->private_key));
	else
		text_add(&envoy->log, bytes_text(secret->validation_context->trusted_ca));
}

static void fake_send(struct transport_stream *base, struct buffer *const *parts, size_t n_parts)
{
	struct envoy *envoy = (struct envoy *)base;
	ck_assert_msg(!envoy->is_sent, "a message before the last one left");
	ck_assert_uint_eq(n_parts, 1);
	envoy->is_sent = true;
	if (envoy->method == SDS_DELTA) {
		const envoy_delta_discovery_response *response = (const envoy_delta_discovery_response *)unpack_own(
		    arena, envoy_delta_discovery_response_type(), parts[0]->data, parts[0]->n);
		for (size_t i = 0; i < response->n_resources; i++)
			log_secret(envoy, response->resources[i]->resource);
		snprintf(envoy->nonce, sizeof envoy->nonce, "%s", response->nonce);
	} else {
		const envoy_discovery_response *response = (const envoy_discovery_response *)unpack_own(
		    arena, envoy_discovery_response_type(), parts[0]->data, parts[0]->n);
		ck_assert_str_eq(response->type_url, SDS_TYPE_URL);
		for (size_t i = 0; i < response->n_resources; i++)
			log_secret(envoy, response->resources[i]);
		snprintf(envoy->nonce, sizeof envoy->nonce, "%s", response->nonce);
	}
}

static void fake_finish(struct transport_stream *base, enum transport_status status, const char *message)
{
	(void)message;
	((struct envoy *)base)->status = (int)status;
}

static const struct transport_ops fake_ops = {.send = fake_send, .finish = fake_finish};

static void count_change(void *context)
{
	++*(unsigned *)context;
}

static void connect_to(struct envoy *envoy, struct sds *sds, enum sds_method method)
{
	*envoy = (struct envoy){
	    .base.ops = &fake_ops, .sds = sds, .handler = sds_handler(sds), .method = method, .status = -1};
	envoy->stream = envoy->handler.open(envoy->handler.context, &envoy->base, method);
}

static void disconnect(struct envoy *envoy)
{
	envoy->handler.close(envoy->stream);
	text_done(&envoy->log);
}

/* What came since the last call; the messages have left by then. */
static const char *pump(struct envoy *envoy)
{
	do {
		if (envoy->is_sent)
			envoy->handler.ready(envoy->stream);
		envoy->is_sent = false;
		envoy->handler.work(envoy->handler.context);
	} while (envoy->is_sent);
	const char *log = arena_strdup(arena, text_get(&envoy->log));
	text_done(&envoy->log);
	envoy->log = (struct text){0};
	return log;
}

static size_t split(const char *words, char ***v)
{
	size_t n = 0;
	*v = ARENA_NEW_N(arena, char *, 128);
	char *rest = arena_strdup(arena, words), *word;
	while ((word = strsep(&rest, " ")))
		if (*word)
			(*v)[n++] = word;
	return n;
}

/* names: what it wants from now on (whole), or what comes and "-NAME" what goes (delta) */
static void request(struct envoy *envoy, const char *names, const char *nonce, const char *refusal)
{
	char **v;
	size_t n = split(names, &v);
	google_status *status = google_status_new(arena);
	struct bytes bytes;
	status->message = arena_strdup(arena, refusal ? refusal : "");
	if (envoy->method == SDS_DELTA) {
		envoy_delta_discovery_request *message = envoy_delta_discovery_request_new(arena);
		message->response_nonce = arena_strdup(arena, nonce);
		message->error_detail = refusal ? status : NULL;
		message->type_url = arena_strdup(arena, SDS_TYPE_URL);
		for (size_t i = 0; i < n; i++) {
			if (v[i][0] == '-')
				BUILD_ADD(arena, message, resource_names_unsubscribe, v[i] + 1);
			else
				BUILD_ADD(arena, message, resource_names_subscribe, v[i]);
		}
		bytes = pack(arena, &message->base);
	} else {
		envoy_discovery_request *message = envoy_discovery_request_new(arena);
		message->response_nonce = arena_strdup(arena, nonce);
		message->error_detail = refusal ? status : NULL;
		message->type_url = arena_strdup(arena, SDS_TYPE_URL);
		message->resource_names = v;
		message->n_resource_names = n;
		bytes = pack(arena, &message->base);
	}
	envoy->handler.message(envoy->stream, bytes.data, bytes.n);
}

/* Whole: an answer says again what is wanted. */
static void acknowledge(struct envoy *envoy, const char *names)
{
	request(envoy, envoy->method == SDS_DELTA ? "" : names, envoy->nonce, NULL);
}

static void put(struct sds *sds, const char *name, const char *content)
{
	sds_put(sds, name,
	        strcmp(name, SDS_ROOTS) == 0 ? sds_secret_roots(name, content)
	                                     : sds_secret_certificate(name, content, "key"));
}

static bool roots_are(struct sds *sds, const char *content)
{
	return sds_is_acknowledged(sds, SDS_ROOTS, digest_of(content, strlen(content)));
}

#define BOTH_METHODS(method) for (enum sds_method method = SDS_STREAM; (method) < SDS_METHODS; (method)++)

static void setup(void)
{
	arena = arena_new();
}

static void teardown(void)
{
	arena_free(arena);
}

START_TEST(secrets_come_when_there_are_some_and_when_they_change)
{
	setup();
	BOTH_METHODS(method)
	{
		struct sds *sds = sds_new(&(struct sds_options){0});
		struct envoy envoy;
		connect_to(&envoy, sds, method);
		request(&envoy, "default", "", NULL);
		ck_assert_str_eq(pump(&envoy), "");
		put(sds, "default", "a");
		ck_assert_str_eq(pump(&envoy), "default=a/key");
		acknowledge(&envoy, "default");
		ck_assert_str_eq(pump(&envoy), "");
		put(sds, "default", "a");
		ck_assert_str_eq(pump(&envoy), "");
		put(sds, "default", "b");
		put(sds, "default", "c");
		ck_assert_str_eq(pump(&envoy), "default=c/key");
		put(sds, "ROOTCA", "r");
		ck_assert_str_eq(pump(&envoy), "");
		disconnect(&envoy);
		sds_free(sds);
	}
	teardown();
}
END_TEST

START_TEST(one_stream_may_have_several_names)
{
	setup();
	BOTH_METHODS(method)
	{
		bool is_delta = method == SDS_DELTA;
		struct sds *sds = sds_new(&(struct sds_options){0});
		struct envoy envoy;
		put(sds, "default", "a");
		put(sds, "ROOTCA", "r");
		connect_to(&envoy, sds, method);
		request(&envoy, "default ROOTCA", "", NULL);
		ck_assert_str_eq(pump(&envoy), "default=a/key ROOTCA=r");
		acknowledge(&envoy, "default ROOTCA");
		put(sds, "ROOTCA", "s");
		ck_assert_str_eq(pump(&envoy), is_delta ? "ROOTCA=s" : "default=a/key ROOTCA=s");
		request(&envoy, is_delta ? "-default" : "ROOTCA", envoy.nonce, NULL);
		put(sds, "default", "b");
		ck_assert_str_eq(pump(&envoy), "");
		request(&envoy, is_delta ? "default" : "default ROOTCA", "", NULL);
		ck_assert_str_eq(pump(&envoy), is_delta ? "default=b/key" : "ROOTCA=s default=b/key");
		disconnect(&envoy);
		sds_free(sds);
	}
	teardown();
}
END_TEST

START_TEST(what_is_refused_is_not_sent_again)
{
	setup();
	BOTH_METHODS(method)
	{
		struct sds *sds = sds_new(&(struct sds_options){0});
		struct envoy envoy;
		struct sds_stats stats;
		put(sds, "ROOTCA", "r");
		connect_to(&envoy, sds, method);
		request(&envoy, "ROOTCA", "", NULL);
		ck_assert_str_eq(pump(&envoy), "ROOTCA=r");
		request(&envoy, method == SDS_DELTA ? "" : "ROOTCA", envoy.nonce, "no PEM at all");
		ck_assert_str_eq(pump(&envoy), "");
		ck_assert(!roots_are(sds, "r"));
		sds_stats(sds, &stats);
		ck_assert_uint_eq(stats.refusals, 1);
		ck_assert_uint_eq(stats.responses, 1);
		put(sds, "ROOTCA", "s");
		ck_assert_str_eq(pump(&envoy), "ROOTCA=s");
		disconnect(&envoy);
		sds_free(sds);
	}
	teardown();
}
END_TEST

START_TEST(it_is_known_when_all_have_acknowledged)
{
	setup();
	BOTH_METHODS(method)
	{
		struct sds *sds = sds_new(&(struct sds_options){0});
		struct envoy one, two;
		ck_assert(!roots_are(sds, "r")); /* there is none */
		put(sds, "ROOTCA", "r");
		ck_assert(roots_are(sds, "r")); /* who comes later gets this one */
		ck_assert(!roots_are(sds, "q"));
		connect_to(&one, sds, method);
		connect_to(&two, sds, method);
		request(&one, "ROOTCA", "", NULL);
		request(&two, "ROOTCA", "", NULL);
		pump(&one), pump(&two);
		acknowledge(&one, "ROOTCA");
		ck_assert(!roots_are(sds, "r"));
		acknowledge(&two, "ROOTCA");
		ck_assert(roots_are(sds, "r"));
		put(sds, "ROOTCA", "s");
		ck_assert(!roots_are(sds, "s"));
		char late[32];
		pump(&one), pump(&two);
		snprintf(late, sizeof late, "%s", one.nonce);
		put(sds, "ROOTCA", "t");
		pump(&one), pump(&two);
		acknowledge(&two, "ROOTCA");
		request(&one, method == SDS_DELTA ? "" : "ROOTCA", late, NULL); /* of the one before */
		ck_assert(!roots_are(sds, "t"));
		acknowledge(&one, "ROOTCA");
		ck_assert(roots_are(sds, "t"));
		disconnect(&one);
		ck_assert(roots_are(sds, "t"));
		disconnect(&two);
		ck_assert(!roots_are(sds, "t")); /* it may still live, and trust what it had */
		sds_free(sds);
	}
	teardown();
}
END_TEST

START_TEST(one_that_is_over_is_not_given_to_those_who_ask_anew)
{
	setup();
	struct sds *sds = sds_new(&(struct sds_options){0});
	struct envoy envoy;
	put(sds, "default", "a");
	sds_put(sds, "default", NULL);
	connect_to(&envoy, sds, SDS_STREAM);
	request(&envoy, "default", "", NULL);
	ck_assert_str_eq(pump(&envoy), "");
	disconnect(&envoy);
	sds_free(sds);
	teardown();
}
END_TEST

START_TEST(others_hear_of_names_and_answers)
{
	setup();
	unsigned changes = 0;
	struct sds *sds = sds_new(&(struct sds_options){.on_change = count_change, .context = &changes});
	struct envoy envoy;
	connect_to(&envoy, sds, SDS_DELTA);
	request(&envoy, "file-root:/a file-root:/b default", "", NULL);
	ck_assert_uint_eq(changes, 1);
	struct sds_names names = sds_subscribed(sds, "file-", arena);
	ck_assert_uint_eq(names.n, 2);
	sds_put(sds, "file-root:/a", sds_secret_roots("file-root:/a", "r"));
	ck_assert_str_eq(pump(&envoy), "file-root:/a=r");
	request(&envoy, "-file-root:/a", "", NULL);
	ck_assert_uint_eq(sds_subscribed(sds, "file-", arena).n, 1);
	disconnect(&envoy);
	ck_assert_uint_eq(sds_subscribed(sds, "file-", arena).n, 0);
	sds_free(sds);
	teardown();
}
END_TEST

START_TEST(bad_requests_end_the_stream)
{
	setup();
	struct sds *sds = sds_new(&(struct sds_options){0});
	struct envoy envoy;
	struct text many = {0};
	connect_to(&envoy, sds, SDS_STREAM);
	envoy.handler.message(envoy.stream, (const uint8_t *)"\xff", 1);
	ck_assert_int_eq(envoy.status, TRANSPORT_INVALID_ARGUMENT);
	disconnect(&envoy);
	connect_to(&envoy, sds, SDS_STREAM);
	for (int i = 0; i <= SDS_NAMES_MAX; i++)
		text_printf(&many, "n%d ", i);
	request(&envoy, many.s, "", NULL);
	ck_assert_int_eq(envoy.status, TRANSPORT_RESOURCE_EXHAUSTED);
	request(&envoy, "default", "", NULL); /* nothing more is heard of it */
	disconnect(&envoy);
	text_done(&many);
	sds_free(sds);
	teardown();
}
END_TEST

UNIT_MAIN("sds", secrets_come_when_there_are_some_and_when_they_change, one_stream_may_have_several_names,
          what_is_refused_is_not_sent_again, it_is_known_when_all_have_acknowledged,
          one_that_is_over_is_not_given_to_those_who_ask_anew, others_hear_of_names_and_answers,
          bad_requests_end_the_stream)
