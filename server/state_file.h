#pragma once
/*
 * A file of weftd's own, with nothing in it that is secret, in --state-dir or a folder there: written whole, or as
 * before. Errors begin with the path.
 */
#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>

/* Appends it. True also when there is none. is_there: NULL is fine. */
bool state_file_load(const char *folder, const char *name, struct text *out, bool *is_there, struct error *error);
/* Makes the folder, whose parent must be there. */
bool state_file_store(const char *folder, const char *name, const struct text *text, struct error *error);
