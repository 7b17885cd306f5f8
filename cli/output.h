#pragma once
/*
 * The one way commands write their result: to standard output, with the failure (a full disk, a closed pipe) seen.
 */
#include "base/text.h"

/* Gives the exit status: COMMAND_DONE, or COMMAND_FAILED after saying why on standard error. */
int output_write(const struct text *text);
