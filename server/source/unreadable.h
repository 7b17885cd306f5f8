#pragma once
/*
 * Documents that cannot be parsed, but whose words say of which kind they were to be: what such an object may have kept
 * closed must not be open for a typing error. Pure; of foreign bytes only words of few characters are taken.
 */
#include "base/json.h"
#include "crds/kinds.h"

/* Begins the names of such objects; no other can be called so. */
#define UNREADABLE_NAME "(unreadable"

/*
 * The document as an object of the kind with what it takes to let another stand in for it (object_stand_in): namespace
 * and the action in its spec. NULL: none of it was to be of that kind, or none stands in for such.
 */
const struct json *unreadable_document(struct arena *arena, const struct kind_info *kind, const char *s, size_t n);
