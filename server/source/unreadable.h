#pragma once
/*
 * Documents that cannot be parsed, but whose words say of which kind they were to be: what such an object may have kept
 * closed must not be open for a typing error. Pure; of foreign bytes only words of few characters are taken.
 */
#include "base/json.h"

/* Begins the names of such objects; no other can be called so. */
#define UNREADABLE_NAME "(unreadable"

/*
 * The document as an object with what it takes to let another stand in for it (object_stand_in): kind, namespace and
 * the action in its spec. NULL: it is of no kind for which one does.
 */
const struct json *unreadable_document(struct arena *arena, const char *s, size_t n);
