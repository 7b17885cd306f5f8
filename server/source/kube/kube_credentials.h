#pragma once
/*
 * What to present to the API server now: a token or a client certificate, and the CA to know it by. Files are looked at
 * again as they rotate (a service account's token is replaced every hour or so), exec plugins run again before their
 * credential expires. One thread.
 *
 *     struct kube_credential credential;
 *     if (!kube_credentials_get(credentials, &credential, &error)) …        there is none, and never was
 *
 * A file that vanishes or is half-written, a plugin that fails: the former credential is given as long as it may be
 * good.
 */
#include "base/clock.h"
#include "base/error.h"
#include "server/source/kube/kube_config.h"

#include <stdbool.h>
#include <stddef.h>

#define KUBE_CREDENTIALS_LOOK_MS 1000 /* between two looks at a file */
#define KUBE_CREDENTIALS_EARLY_S 10   /* before it expires, a plugin is asked for another */
#define KUBE_CREDENTIALS_EXEC_GAP_S 5 /* between two runs of a plugin: it failed, or its credential was refused */

struct kube_credentials;

/* Until the next call. */
struct kube_credential {
	const char *authorization;     /* of the header: "Bearer …" or "Basic …"; NULL: none */
	struct kube_pem ca, cert, key; /* their data; NULL: none */
};

struct kube_credentials *kube_credentials_new(const struct kube_config *config, const struct clock *clock);
void kube_credentials_free(struct kube_credentials *credentials); /* NULL is fine */
bool kube_credentials_get(struct kube_credentials *credentials, struct kube_credential *ret, struct error *error);
/* The server refused it (401): files and plugins are asked again at the next get. */
void kube_credentials_reject(struct kube_credentials *credentials);
