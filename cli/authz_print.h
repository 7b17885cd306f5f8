#pragma once
/*
 * A verdict for people, and as one JSON object.
 */
#include "cli/authz_decide.h"

#include "base/text.h"

/* One line without its end: the decision and the rule. */
void authz_print_decision(struct text *out, const struct authz_verdict *verdict);
void authz_print(struct text *out, const struct authz_request *request, const struct authz_verdict *verdict);
void authz_print_json(struct text *out, const struct authz_verdict *verdict);
/* The same object on one line, without its end. */
void authz_print_json_line(struct text *out, const struct authz_verdict *verdict);
