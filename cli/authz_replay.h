#pragma once
/*
 * An access log played through the policies as they are and as they would be: whose fate changes.
 */
#include "base/text.h"
#include "cli/load.h"

struct authz_replay_options {
	const struct load_options *config;
	const char *const *policies; /* files */
	size_t n_policies;
	const char *log; /* a file */
	bool is_json;
};

bool authz_replay(const struct authz_replay_options *options, struct text *out, struct error *error);
