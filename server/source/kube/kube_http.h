#pragma once
/*
 * Requests to one API server, all at once over one HTTP/2 connection (libcurl's multi interface). One thread owns it.
 *
 *     call = kube_http_start(http, &(struct kube_request){.method = "GET", .path = "/version", …}, &error);
 *     kube_http_poll(http, fd, timeout_ms);       moves all calls on; their functions are called from here
 *     kube_http_cancel(call);                     no more functions are called
 *
 * The functions must not start or cancel calls: whoever wants another does so after the poll.
 *
 * Each request carries what kube_credentials says at that moment, so tokens and certificates may rotate; a connection
 * made with a former certificate serves the calls it has and gets no new ones. Redirects are not followed.
 */
#include "base/clock.h"
#include "base/error.h"
#include "server/source/kube/kube_config.h"
#include "server/source/kube/kube_credentials.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KUBE_HTTP_CONNECT_MS 5000
#define KUBE_HTTP_BODY_MAX (64u << 10) /* of a body that is kept for the end; the rest is dropped */
#define KUBE_HTTP_CALLS_MAX 200        /* at once; more wait for their caller's next try */

struct kube_http;
struct kube_call;

struct kube_response {
	int status;             /* HTTP's; 0: no answer, or one that did not come to its end */
	int64_t retry_after_ms; /* what the server asks for; -1: nothing */
	const char *error;      /* what went wrong, in words, with the server's own message; NULL with 2xx */
	const char *body;       /* of an answer that is an error, or without on_body: NUL-terminated */
};

struct kube_request {
	const char *method;       /* "GET"; as all strings here, copied */
	const char *path;         /* with its query: "/api/v1/pods?limit=500" */
	const char *content_type; /* of the body; NULL: no body */
	const char *body;
	size_t n_body;
	int64_t timeout_ms; /* for the whole; 0: none */
	int64_t silence_ms; /* no byte for so long ends it; 0: never */
	/* The answer begins with 2xx. NULL is fine. */
	void (*on_start)(void *context);
	/* A part of a 2xx answer's body. False ends the call: what comes is of no use. NULL: on_end gets the body. */
	bool (*on_body)(void *context, const char *s, size_t n);
	/* The last of all; the call is gone when it returns. */
	void (*on_end)(void *context, const struct kube_response *response);
	void *context;
};

struct kube_http_stats {
	uint64_t requests;
	uint64_t failures;    /* of them: no answer, or not 2xx */
	uint64_t connections; /* that were made */
	uint64_t bytes;       /* received, once gzip was undone */
	int64_t last_byte_ns; /* monotonic; 0: never */
};

/* Both are borrowed. */
struct kube_http *kube_http_new(const struct kube_config *config, struct kube_credentials *credentials,
                                const struct clock *clock);
void kube_http_free(struct kube_http *http); /* calls under way are cancelled; NULL is fine */
/* NULL: not even begun (no credentials, too many calls); on_end is not called then. */
struct kube_call *kube_http_start(struct kube_http *http, const struct kube_request *request, struct error *error);
void kube_http_cancel(struct kube_call *call);
/* Moves on what can, then sleeps until something happens, `fd` is readable, or timeout_ms have passed. */
void kube_http_poll(struct kube_http *http, int fd, int timeout_ms);
/* Ends all calls with this error and closes all connections: the next call makes a new one. */
void kube_http_reset(struct kube_http *http, const char *why);
void kube_http_stats(const struct kube_http *http, struct kube_http_stats *stats);
