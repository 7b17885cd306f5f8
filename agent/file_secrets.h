#pragma once
/*
 * Secrets out of files, which Envoy asks for by their paths: `file-cert:CERTIFICATE~KEY` and `file-root:PATH` (or
 * `file-root:system`), by Istio's names. What Envoy subscribes to is read now and whenever it has changed. A set that
 * does not fit together (it was being replaced, say) is left alone, and what Envoy has stays in force.
 */
#include "agent/sds.h"

struct file_secrets;

struct file_secrets *file_secrets_new(struct sds *sds); /* borrowed */
void file_secrets_free(struct file_secrets *files);     /* NULL is fine */
/* Looks at all of them. Returns whether any changed: then the transport is to be woken. */
bool file_secrets_work(struct file_secrets *files);
