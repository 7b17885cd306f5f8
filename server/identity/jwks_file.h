#pragma once
/*
 * A key set in a file that somebody else keeps (another issuer's keys, mounted or fetched), read again when it changes.
 *
 *     struct jwks_file *file = jwks_file_new(path, clock, &error);     it must be good at first
 *     const struct jwks *keys = jwks_file_get(file);                   until the next call
 *
 * Looked at once in JWKS_FILE_LOOK_S at most. A bad one keeps the former keys, and is logged once.
 */
#include "base/clock.h"
#include "token/jwks.h"

#define JWKS_FILE_LOOK_S 2

struct jwks_file;

struct jwks_file *jwks_file_new(const char *path, const struct clock *clock, struct error *error);
void jwks_file_free(struct jwks_file *file);              /* NULL is fine */
const struct jwks *jwks_file_get(struct jwks_file *file); /* one thread's */
