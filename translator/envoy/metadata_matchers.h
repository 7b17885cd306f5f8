#pragma once
/*
 * What filters have noted of a request (Envoy's dynamic metadata), as matchers. Messages live in the arena.
 *
 *     metadata_of_claim(arena, &path, value_or_element(arena, value_text(arena, text)))
 *
 * A value that is not there matches nothing.
 */
#include "proto/envoy.h"
#include "translator/model_terms.h"

envoy_value_matcher *value_text(struct arena *arena, envoy_string_matcher *text);
envoy_value_matcher *value_present(struct arena *arena);                            /* of any kind */
envoy_value_matcher *value_list(struct arena *arena, envoy_value_matcher *element); /* one of its elements */
envoy_value_matcher *value_any_of(struct arena *arena);                             /* nothing yet: see its or_match */
/* Itself, or as an element of a list. */
envoy_value_matcher *value_or_element(struct arena *arena, envoy_value_matcher *value);

/* `member` of what the filter has noted; without a value yet. */
envoy_metadata_matcher *metadata_of_filter(struct arena *arena, const char *filter, const char *member);
/* A claim of the token that was verified (filter_jwt.c), of nested ones the outermost first. */
envoy_metadata_matcher *metadata_of_claim(struct arena *arena, const struct strings *path, envoy_value_matcher *value);
