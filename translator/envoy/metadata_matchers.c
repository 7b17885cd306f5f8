#include "translator/envoy/metadata_matchers.h"

#include "translator/envoy/emit_parts.h"

#define VALUE(name) ENVOY__TYPE__MATCHER__V3__VALUE_MATCHER__MATCH_PATTERN_##name

/* ---- values ---- */

static envoy_value_matcher *value_new(struct arena *arena,
                                      Envoy__Type__Matcher__V3__ValueMatcher__MatchPatternCase match_pattern_case)
{
	envoy_value_matcher *matcher = envoy_value_matcher_new(arena);
	matcher->match_pattern_case = match_pattern_case;
	return matcher;
}

envoy_value_matcher *value_text(struct arena *arena, envoy_string_matcher *text)
{
	envoy_value_matcher *matcher = value_new(arena, VALUE(STRING_MATCH));
	matcher->string_match = text;
	return matcher;
}

envoy_value_matcher *value_present(struct arena *arena)
{
	envoy_value_matcher *matcher = value_new(arena, VALUE(PRESENT_MATCH));
	matcher->present_match = true;
	return matcher;
}

envoy_value_matcher *value_list(struct arena *arena, envoy_value_matcher *element)
{
	envoy_value_matcher *matcher = value_new(arena, VALUE(LIST_MATCH));
	matcher->list_match = envoy_list_matcher_new(arena);
	matcher->list_match->match_pattern_case = ENVOY__TYPE__MATCHER__V3__LIST_MATCHER__MATCH_PATTERN_ONE_OF;
	matcher->list_match->one_of = element;
	return matcher;
}

envoy_value_matcher *value_any_of(struct arena *arena)
{
	envoy_value_matcher *matcher = value_new(arena, VALUE(OR_MATCH));
	matcher->or_match = envoy_or_matcher_new(arena);
	return matcher;
}

envoy_value_matcher *value_or_element(struct arena *arena, envoy_value_matcher *value)
{
	envoy_value_matcher *either = value_any_of(arena);
	BUILD_ADD(arena, either->or_match, value_matchers, value_list(arena, value));
	BUILD_ADD(arena, either->or_match, value_matchers, value);
	return either;
}

/* ---- where they are ---- */

static void add_path(struct arena *arena, envoy_metadata_matcher *matcher, const char *key)
{
	envoy_metadata_path_segment *segment = envoy_metadata_path_segment_new(arena);
	segment->segment_case = ENVOY__TYPE__MATCHER__V3__METADATA_MATCHER__PATH_SEGMENT__SEGMENT_KEY;
	segment->key = borrow(key);
	BUILD_ADD(arena, matcher, path, segment);
}

envoy_metadata_matcher *metadata_of_filter(struct arena *arena, const char *filter, const char *member)
{
	envoy_metadata_matcher *matcher = envoy_metadata_matcher_new(arena);
	matcher->filter = borrow(filter);
	add_path(arena, matcher, member);
	return matcher;
}

envoy_metadata_matcher *metadata_of_claim(struct arena *arena, const struct strings *path, envoy_value_matcher *value)
{
	envoy_metadata_matcher *matcher = metadata_of_filter(arena, NAME_JWT_AUTHN, NAME_JWT_PAYLOAD);
	matcher->value = value;
	for (size_t i = 0; i < path->n; i++)
		add_path(arena, matcher, path->v[i]);
	return matcher;
}
