#pragma once
/*
 * What `weft-agent --help` prints: the manual page, made from the tables of options and endpoints.
 */
#include "base/text.h"

void agent_manual_print(struct text *out);
