#include "server/jwks/jwks_fetch.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/heap.h"
#include "base/text.h"
#include "server/jwks/jwks_address.h"
#include "server/jwks/openid_configuration.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A URL as far as it says whom to ask. */
struct origin {
	char *scheme, *host, *port; /* curl_free; NULL before it was read */
};

struct fetch {
	struct jwks_fetcher *fetcher;
	struct fetch *next;
	jwks_on_answer *on_end;
	void *context;
	CURL *easy;   /* of the step that is under way */
	char *url;    /* of that step */
	char *issuer; /* NULL: nobody said */
	struct origin first, last;
	bool is_url;         /* the first was read; else libcurl refuses it, too */
	bool is_discovery;   /* the step asks where the keys are */
	bool is_restricted;  /* the step may only go to public addresses */
	bool is_turned_away; /* and would have gone to another */
	bool is_too_large;
	unsigned n_redirects;
	int64_t until_ns;
	struct text body;
	char curl_error[CURL_ERROR_SIZE];
};

struct jwks_fetcher {
	struct jwks_fetcher_options options;
	CURLM *multi;
	struct fetch *fetches;
	size_t n;
};

static void curl_start(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct jwks_fetcher *jwks_fetcher_new(const struct jwks_fetcher_options *options)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, curl_start);
	struct jwks_fetcher *fetcher = HEAP_NEW(struct jwks_fetcher);
	fetcher->options = *options;
	fetcher->multi = curl_multi_init();
	if (!fetcher->multi)
		heap_fail(0);
	return fetcher;
}

/* ---- origins ---- */

static void origin_done(struct origin *origin)
{
	curl_free(origin->scheme);
	curl_free(origin->host);
	curl_free(origin->port);
	*origin = (struct origin){0};
}

static bool origin_read(const char *url, struct origin *origin)
{
	CURLU *parts = curl_url();
	if (!parts)
		heap_fail(0);
	bool is_read = !curl_url_set(parts, CURLUPART_URL, url, 0) &&
	               !curl_url_get(parts, CURLUPART_SCHEME, &origin->scheme, 0) &&
	               !curl_url_get(parts, CURLUPART_HOST, &origin->host, 0) &&
	               !curl_url_get(parts, CURLUPART_PORT, &origin->port, CURLU_DEFAULT_PORT);
	curl_url_cleanup(parts);
	return is_read && (strcasecmp(origin->scheme, "http") == 0 || strcasecmp(origin->scheme, "https") == 0);
}

static bool origin_is_same(const struct origin *a, const struct origin *b)
{
	return strcasecmp(a->scheme, b->scheme) == 0 && strcasecmp(a->host, b->host) == 0 &&
	       strcmp(a->port, b->port) == 0;
}

/* ---- life of a fetch ---- */

static void step_done(struct fetch *fetch)
{
	if (!fetch->easy)
		return;
	curl_multi_remove_handle(fetch->fetcher->multi, fetch->easy);
	curl_easy_cleanup(fetch->easy);
	fetch->easy = NULL;
}

static void fetch_free(struct fetch *fetch)
{
	struct fetch **at = &fetch->fetcher->fetches;
	while (*at != fetch)
		at = &(*at)->next;
	*at = fetch->next;
	fetch->fetcher->n--;
	step_done(fetch);
	origin_done(&fetch->first);
	origin_done(&fetch->last);
	text_done(&fetch->body);
	free(fetch->url);
	free(fetch->issuer);
	free(fetch);
}

void jwks_fetcher_free(struct jwks_fetcher *fetcher)
{
	if (!fetcher)
		return;
	while (fetcher->fetches)
		fetch_free(fetcher->fetches);
	curl_multi_cleanup(fetcher->multi);
	free(fetcher);
}

/* The fetch has ended, and is gone. */
static void fetch_fail(struct fetch *fetch, const struct error *why)
{
	CLEANUP(text_done) struct text message = {0};
	text_printf(&message, "%s: %s", fetch->url, why->message);
	const struct jwks_answer answer = {.url = fetch->url, .error = text_get(&message)};
	fetch->on_end(fetch->context, &answer);
	fetch_free(fetch);
}

/* ---- a step ---- */

static size_t take_body(char *s, size_t size, size_t n, void *context)
{
	struct fetch *fetch = context;
	n *= size;
	if (n > JWKS_FETCH_BYTES_MAX - fetch->body.n) {
		fetch->is_too_large = true;
		return CURL_WRITEFUNC_ERROR;
	}
	text_add_n(&fetch->body, s, n);
	return n;
}

/* The one place where the address is known that is really connected to, whatever names and DNS said before. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct fetch *fetch = context;
	(void)purpose;
	if (fetch->is_restricted && !jwks_address_is_public(&address->addr)) {
		fetch->is_turned_away = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

#define SET(fetch, option, value)                                                                                      \
	do {                                                                                                           \
		if (curl_easy_setopt((fetch)->easy, (option), (value)) == CURLE_OUT_OF_MEMORY)                         \
			heap_fail(0);                                                                                  \
	} while (0)

/* Each step has a connection of its own: one that is there already would not be looked at again. */
static void step_begin(struct fetch *fetch)
{
	int64_t left_ms = (fetch->until_ns - clock_now_ns(clock_system())) / CLOCK_MS;
	fetch->easy = curl_easy_init();
	if (!fetch->easy)
		heap_fail(0);
	fetch->body.n = 0;
	fetch->is_turned_away = fetch->is_too_large = false;
	fetch->curl_error[0] = '\0';
	SET(fetch, CURLOPT_URL, fetch->url);
	SET(fetch, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(fetch, CURLOPT_FOLLOWLOCATION, 0L);
	SET(fetch, CURLOPT_PROXY, ""); /* not what the environment says: then the proxy would be looked at */
	SET(fetch, CURLOPT_FRESH_CONNECT, 1L);
	SET(fetch, CURLOPT_FORBID_REUSE, 1L);
	SET(fetch, CURLOPT_NOSIGNAL, 1L);
	SET(fetch, CURLOPT_TIMEOUT_MS, (long)(left_ms > 1 ? left_ms : 1));
	SET(fetch, CURLOPT_USERAGENT, "weftd/" WEFT_VERSION);
	SET(fetch, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (fetch->fetcher->options.ca_file)
		SET(fetch, CURLOPT_CAINFO, fetch->fetcher->options.ca_file);
	SET(fetch, CURLOPT_ERRORBUFFER, fetch->curl_error);
	SET(fetch, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(fetch, CURLOPT_OPENSOCKETDATA, fetch);
	SET(fetch, CURLOPT_WRITEFUNCTION, take_body);
	SET(fetch, CURLOPT_WRITEDATA, fetch);
	SET(fetch, CURLOPT_PRIVATE, fetch);
	curl_multi_add_handle(fetch->fetcher->multi, fetch->easy);
}

/* To where an answer leads. */
static bool step_on(struct fetch *fetch, const char *url, struct error *error)
{
	struct origin next = {0};
	bool is_good = origin_read(url, &next) || error_set(error, "it leads to \"%.200s\", which is no http URL", url);
	if (is_good && strcasecmp(fetch->last.scheme, "https") == 0 && strcasecmp(next.scheme, "https") != 0)
		is_good = error_set(error, "it leads from https to \"%.200s\"", url);
	if (!is_good) {
		origin_done(&next);
		return false;
	}
	origin_done(&fetch->last);
	fetch->last = next;
	fetch->is_restricted = !fetch->fetcher->options.is_private_allowed && !origin_is_same(&fetch->first, &next);
	char *copy = heap_strdup(url);
	step_done(fetch); /* the URL may be its */
	free(fetch->url);
	fetch->url = copy;
	step_begin(fetch);
	return true;
}

static bool redirect(struct fetch *fetch, long status, struct error *error)
{
	char *url = NULL;
	curl_easy_getinfo(fetch->easy, CURLINFO_REDIRECT_URL, &url);
	if (!url)
		return error_set(error, "status %ld without a location", status);
	if (fetch->n_redirects++ == JWKS_FETCH_REDIRECTS_MAX)
		return error_set(error, "more than %d redirects", JWKS_FETCH_REDIRECTS_MAX);
	return step_on(fetch, url, error);
}

static bool discovered(struct fetch *fetch, struct error *error)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct openid_configuration found;
	fetch->is_discovery = false;
	if (!openid_configuration_read(arena, text_get(&fetch->body), fetch->body.n, &found, error))
		return false;
	fetch->issuer = found.issuer ? heap_strdup(found.issuer) : NULL;
	return step_on(fetch, found.jwks_uri, error);
}

static void deliver(struct fetch *fetch)
{
	const struct jwks_answer answer = {
	    .body = text_get(&fetch->body), .n = fetch->body.n, .url = fetch->url, .issuer = fetch->issuer};
	fetch->on_end(fetch->context, &answer);
	fetch_free(fetch);
}

static bool why_broken(const struct fetch *fetch, CURLcode code, struct error *error)
{
	if (fetch->is_turned_away)
		return error_set(error,
		                 "an answer led there, and it has no public address: write that URL as jwksUri, or "
		                 "allow it with --jwks-private-addresses");
	if (fetch->is_too_large)
		return error_set(error, "more than %u bytes", JWKS_FETCH_BYTES_MAX);
	return error_set(error, "%s", *fetch->curl_error ? fetch->curl_error : curl_easy_strerror(code));
}

static void step_ended(struct fetch *fetch, CURLcode code)
{
	struct error error;
	long status = 0;
	curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
	bool is_good;
	if (code != CURLE_OK || !fetch->is_url)
		is_good = why_broken(fetch, code, &error);
	else if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308)
		is_good = redirect(fetch, status, &error);
	else if (status < 200 || status > 299)
		is_good = error_set(&error, "status %ld", status);
	else if (fetch->is_discovery)
		is_good = discovered(fetch, &error);
	else {
		deliver(fetch);
		return;
	}
	if (!is_good)
		fetch_fail(fetch, &error);
}

/* ---- all of them ---- */

bool jwks_fetcher_start(struct jwks_fetcher *fetcher, const struct key_source *source, jwks_on_answer *on_end,
                        void *context)
{
	if (fetcher->n >= JWKS_FETCHES_MAX)
		return false;
	int64_t timeout_ms =
	    source->timeout_ms < JWKS_FETCH_TIMEOUT_MAX_MS ? source->timeout_ms : JWKS_FETCH_TIMEOUT_MAX_MS;
	struct fetch *fetch = HEAP_NEW(struct fetch);
	*fetch = (struct fetch){
	    .fetcher = fetcher,
	    .next = fetcher->fetches,
	    .on_end = on_end,
	    .context = context,
	    .url = heap_strdup(source->url),
	    .is_discovery = source->is_discovery,
	    .until_ns = clock_now_ns(clock_system()) + timeout_ms * CLOCK_MS,
	};
	fetcher->fetches = fetch;
	fetcher->n++;
	fetch->is_url = origin_read(source->url, &fetch->first) && origin_read(source->url, &fetch->last);
	step_begin(fetch);
	return true;
}

/* Whether a step has ended. */
static bool move(struct jwks_fetcher *fetcher)
{
	int n_left = 0;
	bool is_ended = false;
	curl_multi_perform(fetcher->multi, &n_left);
	for (CURLMsg *message; (message = curl_multi_info_read(fetcher->multi, &n_left));) {
		struct fetch *fetch = NULL;
		if (message->msg != CURLMSG_DONE)
			continue;
		CURLcode code = message->data.result; /* the message goes with the handle */
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&fetch);
		step_ended(fetch, code);
		is_ended = true;
	}
	return is_ended;
}

void jwks_fetcher_poll(struct jwks_fetcher *fetcher, int fd, int timeout_ms)
{
	struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};

	if (move(fetcher))
		return; /* the caller has something to do before it sleeps */
	curl_multi_poll(fetcher->multi, &extra, 1, timeout_ms, NULL);
	move(fetcher);
}
