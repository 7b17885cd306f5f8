#pragma once
/*
 * `weft authz check --requests`: a file of questions (authz_question.h), one a line, and a line for what becomes of
 * each, in their order. Empty lines are passed over. The configuration is read once, and each proxy's part of it
 * worked out once.
 */
#include "cli/authz_question.h"
#include "cli/load.h"

struct authz_requests_options {
	const struct load *load;
	const char *path;                      /* "-": standard input */
	const struct authz_question *defaults; /* what a line does not say */
	bool is_json;                          /* each line an object; else the decision in words */
};

/* Prints; gives the exit status. Stops at the first line that is no question, what was before it is printed. */
int authz_requests(const struct authz_requests_options *options);
