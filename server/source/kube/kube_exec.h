#pragma once
/*
 * Exec credential plugins: a program that prints an ExecCredential (client.authentication.k8s.io), such as cloud
 * providers' command lines. It gets no terminal, nothing on standard input, and a deadline; with it ends all that it
 * started in its process group.
 */
#include "base/arena.h"
#include "base/error.h"
#include "server/source/kube/kube_config.h"

#include <stdbool.h>
#include <stdint.h>

#define KUBE_EXEC_DEADLINE_MS 30000
#define KUBE_EXEC_BYTES_MAX (1u << 20) /* of what it prints */

struct kube_exec_credential {
	const char *token;      /* NULL: none */
	const char *cert, *key; /* PEM; both or neither */
	int64_t expires_s;      /* since 1970; 0: never */
};

/* Runs config->exec. What it gives lives in the arena. False: error names the program, and quotes what it complained
 * of. */
bool kube_exec_run(struct arena *arena, const struct kube_config *config, int deadline_ms,
                   struct kube_exec_credential *ret, struct error *error);
/* What a plugin has printed. */
bool kube_exec_parse(struct arena *arena, const char *s, size_t n, struct kube_exec_credential *ret,
                     struct error *error);
