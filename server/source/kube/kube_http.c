#include "server/source/kube/kube_http.h"

#include "base/heap.h"
#include "base/json.h"
#include "base/text.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOVES_MAX 100        /* before whoever polls gets a turn */
#define MESSAGE_MAX 300      /* bytes of what a server says is wrong */
#define RETRY_AFTER_MAX_S 60 /* a server that asks for more is asked again after this */

struct kube_call {
	struct kube_http *http;
	struct kube_call *next, *former;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	bool (*on_body)(void *context, const char *s, size_t n);
	void (*on_start)(void *context);
	void (*on_end)(void *context, const struct kube_response *response);
	void *context;
	int64_t silence_ns, heard_ns;
	bool is_counted;             /* in the connections */
	bool is_started, is_refused; /* on_start was called; on_body has said no */
	struct text body;            /* that is kept for the end */
	char curl_error[CURL_ERROR_SIZE];
};

struct kube_http {
	const struct kube_config *config;
	struct kube_credentials *credentials;
	const struct clock *clock;
	CURLM *multi;
	struct kube_call *calls;
	size_t n_calls;
	struct kube_http_stats stats;
};

static void curl_start(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static CURLM *multi_new(void)
{
	CURLM *multi = curl_multi_init();
	if (!multi)
		heap_fail(0);
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	return multi;
}

struct kube_http *kube_http_new(const struct kube_config *config, struct kube_credentials *credentials,
                                const struct clock *clock)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, curl_start);
	struct kube_http *http = HEAP_NEW(struct kube_http);
	*http = (struct kube_http){.config = config, .credentials = credentials, .clock = clock, .multi = multi_new()};
	return http;
}

static void call_free(struct kube_call *call)
{
	struct kube_http *http = call->http;
	*(call->former ? &call->former->next : &http->calls) = call->next;
	if (call->next)
		call->next->former = call->former;
	http->n_calls--;
	curl_multi_remove_handle(http->multi, call->easy);
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	curl_slist_free_all(call->connect_to);
	text_done(&call->body);
	free(call);
}

void kube_http_cancel(struct kube_call *call)
{
	call_free(call);
}

void kube_http_free(struct kube_http *http)
{
	if (!http)
		return;
	while (http->calls)
		call_free(http->calls);
	curl_multi_cleanup(http->multi);
	free(http);
}

void kube_http_stats(const struct kube_http *http, struct kube_http_stats *stats)
{
	*stats = http->stats;
}

/* ---- answers ---- */

static long call_status(const struct kube_call *call)
{
	long status = 0;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static bool is_success(long status)
{
	return status >= 200 && status < 300;
}

static void call_heard(struct kube_call *call, size_t n)
{
	call->heard_ns = clock_now_ns(call->http->clock);
	call->http->stats.last_byte_ns = call->heard_ns;
	call->http->stats.bytes += n;
}

/* As soon as it is known, for a watch does not end. */
static void count_connection(struct kube_call *call)
{
	long n = 0;
	if (call->is_counted || curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &n) != CURLE_OK || n <= 0)
		return;
	call->is_counted = true;
	call->http->stats.connections += (uint64_t)n;
}

static size_t take_header(const char *s, size_t size, size_t n, void *context)
{
	struct kube_call *call = context;
	(void)s;
	call_heard(call, size * n);
	count_connection(call);
	bool is_end = size * n <= 2; /* the empty line */
	if (is_end && !call->is_started && is_success(call_status(call))) {
		call->is_started = true;
		if (call->on_start)
			call->on_start(call->context);
	}
	return size * n;
}

static size_t take_body(char *s, size_t size, size_t n, void *context)
{
	struct kube_call *call = context;
	n *= size;
	call_heard(call, n);
	if (!call->on_body || !is_success(call_status(call))) {
		size_t room = KUBE_HTTP_BODY_MAX - call->body.n;
		text_add_n(&call->body, s, n < room ? n : room);
		return n;
	}
	call->is_refused = !call->on_body(call->context, s, n);
	return call->is_refused ? CURL_WRITEFUNC_ERROR : n;
}

/* At most so many bytes, cut between characters; nothing where they are no text. */
static void add_beginning(struct text *out, const char *s, size_t n)
{
	if (n > MESSAGE_MAX) {
		n = MESSAGE_MAX;
		while (n > 0 && (s[n] & 0xc0) == 0x80)
			n--;
	}
	if (n > 0 && text_is_utf8(s, n))
		text_printf(out, ": %.*s", (int)n, s);
}

/* The message of the Status object that an API server explains itself with, else the body's beginning. */
static void add_server_message(const struct kube_call *call, struct text *out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error;
	const struct json *body = json_parse(arena, text_get(&call->body), call->body.n, &error);
	const char *message = body ? json_get_string(body, "message") : NULL;
	if (message)
		add_beginning(out, message, strlen(message));
	else
		add_beginning(out, text_get(&call->body), strcspn(text_get(&call->body), "\r\n"));
}

static int64_t retry_after_ms(const struct kube_call *call)
{
	curl_off_t seconds = 0;
	if (curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds <= 0)
		return -1;
	return 1000 * (seconds < RETRY_AFTER_MAX_S ? (int64_t)seconds : RETRY_AFTER_MAX_S);
}

/* The call has ended, and is gone. */
static void call_end(struct kube_call *call, CURLcode code, const char *why)
{
	CLEANUP(text_done) struct text message = {0};
	long status = call_status(call);
	struct text body = call->body;
	struct kube_response response = {.retry_after_ms = retry_after_ms(call), .body = text_get(&body)};

	count_connection(call);
	if (why)
		text_add(&message, why);
	else if (code != CURLE_OK)
		text_add(&message, *call->curl_error ? call->curl_error : curl_easy_strerror(code));
	else
		response.status = (int)status;
	if (response.status && !is_success(response.status)) {
		text_printf(&message, "status %d", response.status);
		add_server_message(call, &message);
	}
	if (message.n) {
		response.error = message.s;
		call->http->stats.failures++;
	}
	void (*on_end)(void *, const struct kube_response *) = call->on_end;
	void *context = call->context;
	call->body = (struct text){0}; /* stays until on_end has seen it */
	call_free(call);
	on_end(context, &response);
	text_done(&body);
}

/* ---- requests ---- */

#define SET(call, option, value)                                                                                       \
	do {                                                                                                           \
		CURLcode code = curl_easy_setopt((call)->easy, (option), (value));                                     \
		if (code == CURLE_OUT_OF_MEMORY)                                                                       \
			heap_fail(0);                                                                                  \
	} while (0)

static void set_blob(struct kube_call *call, CURLoption option, const char *data, size_t n)
{
	struct curl_blob blob = {.data = (void *)(uintptr_t)data, .len = n, .flags = CURL_BLOB_COPY};
	if (n)
		SET(call, option, &blob);
}

static void add_header(struct kube_call *call, const char *name, const char *value)
{
	CLEANUP(text_done) struct text line = {0};
	text_printf(&line, "%s: %s", name, value);
	struct curl_slist *headers = curl_slist_append(call->headers, line.s);
	if (!headers)
		heap_fail(line.n);
	call->headers = headers;
}

/* The URL with another host, which TLS then asks for, and where to connect to all the same. */
static void rename_host(const char *name, struct text *url, struct text *connect_to)
{
	CURLU *parts = curl_url();
	char *host = NULL, *port = NULL, *renamed = NULL;

	if (!parts)
		heap_fail(0);
	bool is_done =
	    !curl_url_set(parts, CURLUPART_URL, url->s, 0) && !curl_url_get(parts, CURLUPART_HOST, &host, 0) &&
	    !curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) &&
	    !curl_url_set(parts, CURLUPART_HOST, name, 0) && !curl_url_get(parts, CURLUPART_URL, &renamed, 0);
	if (is_done) {
		url->n = 0;
		text_add(url, renamed);
		text_printf(connect_to, "::%s:%s", host, port);
	}
	curl_free(host);
	curl_free(port);
	curl_free(renamed);
	curl_url_cleanup(parts);
}

static void set_url(struct kube_call *call, const char *path)
{
	const struct kube_config *config = call->http->config;
	CLEANUP(text_done) struct text url = {0}, connect_to = {0};

	text_printf(&url, "%s%s", config->server, path);
	if (config->tls_server_name)
		rename_host(config->tls_server_name, &url, &connect_to);
	SET(call, CURLOPT_URL, url.s);
	if (!connect_to.n)
		return;
	call->connect_to = curl_slist_append(NULL, connect_to.s);
	if (!call->connect_to)
		heap_fail(connect_to.n);
	SET(call, CURLOPT_CONNECT_TO, call->connect_to);
}

static void set_security(struct kube_call *call, const struct kube_credential *credential)
{
	const struct kube_config *config = call->http->config;

	set_blob(call, CURLOPT_CAINFO_BLOB, credential->ca.data, credential->ca.n);
	if (credential->ca.n) /* that one and no other: libcurl would add the system's */
		SET(call, CURLOPT_CAPATH, NULL);
	SET(call, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	set_blob(call, CURLOPT_SSLCERT_BLOB, credential->cert.data, credential->cert.n);
	set_blob(call, CURLOPT_SSLKEY_BLOB, credential->key.data, credential->key.n);
	SET(call, CURLOPT_SSL_VERIFYPEER, config->is_insecure ? 0L : 1L);
	SET(call, CURLOPT_SSL_VERIFYHOST, config->is_insecure ? 0L : 2L);
	if (config->proxy_url)
		SET(call, CURLOPT_PROXY, config->proxy_url);
	if (credential->authorization)
		add_header(call, "Authorization", credential->authorization);
}

static void set_request(struct kube_call *call, const struct kube_request *request)
{
	set_url(call, request->path);
	SET(call, CURLOPT_CUSTOMREQUEST, request->method);
	if (request->content_type) {
		add_header(call, "Content-Type", request->content_type);
		SET(call, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->n_body);
		SET(call, CURLOPT_COPYPOSTFIELDS, request->body);
	}
	add_header(call, "Accept", "application/json");
	add_header(call, "User-Agent", "weftd/" WEFT_VERSION);
	SET(call, CURLOPT_HTTPHEADER, call->headers);
	SET(call, CURLOPT_ACCEPT_ENCODING, "gzip");
	SET(call, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(call, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	/* rather wait for the one connection than make another; without TLS it is HTTP/1.1, where that is for ever */
	SET(call, CURLOPT_PIPEWAIT, text_has_prefix(call->http->config->server, "https:") ? 1L : 0L);
	SET(call, CURLOPT_NOSIGNAL, 1L);
	SET(call, CURLOPT_TCP_KEEPALIVE, 1L);
	SET(call, CURLOPT_CONNECTTIMEOUT_MS, (long)KUBE_HTTP_CONNECT_MS);
	SET(call, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	SET(call, CURLOPT_ERRORBUFFER, call->curl_error);
	SET(call, CURLOPT_HEADERFUNCTION, take_header);
	SET(call, CURLOPT_HEADERDATA, call);
	SET(call, CURLOPT_WRITEFUNCTION, take_body);
	SET(call, CURLOPT_WRITEDATA, call);
	SET(call, CURLOPT_PRIVATE, call);
}

struct kube_call *kube_http_start(struct kube_http *http, const struct kube_request *request, struct error *error)
{
	struct kube_credential credential;

	if (http->n_calls >= KUBE_HTTP_CALLS_MAX) {
		error_set(error, "%d requests are under way already", KUBE_HTTP_CALLS_MAX);
		return NULL;
	}
	if (!kube_credentials_get(http->credentials, &credential, error))
		return NULL;
	struct kube_call *call = HEAP_NEW(struct kube_call);
	*call = (struct kube_call){
	    .http = http,
	    .next = http->calls,
	    .easy = curl_easy_init(),
	    .on_start = request->on_start,
	    .on_body = request->on_body,
	    .on_end = request->on_end,
	    .context = request->context,
	    .silence_ns = request->silence_ms * CLOCK_MS,
	    .heard_ns = clock_now_ns(http->clock),
	};
	if (!call->easy)
		heap_fail(0);
	if (http->calls)
		http->calls->former = call;
	http->calls = call;
	http->n_calls++;
	set_security(call, &credential);
	set_request(call, request);
	curl_multi_add_handle(http->multi, call->easy);
	http->stats.requests++;
	return call;
}

/* ---- moving on ---- */

static void end_finished(struct kube_http *http)
{
	int n_left = 0;
	for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &n_left));) {
		struct kube_call *call = NULL;
		if (message->msg != CURLMSG_DONE)
			continue;
		CURLcode code = message->data.result; /* the message goes with the handle */
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		if (call_status(call) == 401)
			kube_credentials_reject(http->credentials);
		call_end(call, code, call->is_refused ? "what it sent is of no use" : NULL);
	}
}

/* One at a time, for the list is another after an end. */
static bool end_silent(struct kube_http *http)
{
	int64_t now_ns = clock_now_ns(http->clock);
	for (struct kube_call *call = http->calls; call; call = call->next) {
		if (!call->silence_ns || now_ns - call->heard_ns < call->silence_ns)
			continue;
		CLEANUP(text_done) struct text why = {0};
		text_printf(&why, "nothing heard for %lld s", (long long)(call->silence_ns / CLOCK_S));
		call_end(call, CURLE_OPERATION_TIMEDOUT, why.s);
		return true;
	}
	return false;
}

/*
 * Until nothing more comes. Reading one stream may take another's bytes off the connection, and libcurl (7.88) does not
 * always say that those still wait: then they would wait for the next sign of life on the socket.
 */
static void move(struct kube_http *http)
{
	for (unsigned i = 0; i < MOVES_MAX; i++) {
		int n_running = 0;
		uint64_t bytes = http->stats.bytes;
		curl_multi_perform(http->multi, &n_running);
		end_finished(http);
		if (http->stats.bytes == bytes)
			return;
	}
}

void kube_http_poll(struct kube_http *http, int fd, int timeout_ms)
{
	struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};

	move(http);
	while (end_silent(http)) {
	}
	curl_multi_poll(http->multi, &extra, 1, timeout_ms, NULL);
	move(http);
}

void kube_http_reset(struct kube_http *http, const char *why)
{
	while (http->calls)
		call_end(http->calls, CURLE_OPERATION_TIMEDOUT, why);
	curl_multi_cleanup(http->multi); /* and all its connections */
	http->multi = multi_new();
}
