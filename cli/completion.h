#pragma once
/*
 * Shell completion scripts, made from the command table; so they are right whenever it changes.
 */
#include "base/text.h"

extern const char *const completion_shells[]; /* "bash", …; NULL-terminated */

/* shell: one of completion_shells. */
void completion_print(const char *shell, struct text *out);
