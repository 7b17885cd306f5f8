#pragma once
/*
 * What `weftd --help` prints: the manual page, 80 columns wide, made from the tables of options and endpoints.
 */
#include "base/text.h"

void manual_print(struct text *out);
