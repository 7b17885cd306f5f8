#pragma once
/*
 * One YAML document to one tree, from libyaml's events. An alias is a pointer to the value it names (trees are const),
 * and costs what a copy would have cost against the caps.
 */
#include "base/json.h"

/*
 * s: one document, `---` line included, UTF-8 without NUL; first_line: its line in the file. *value is NULL when the
 * document has no content. Errors begin with "line L, column C: ".
 */
bool yaml_build(struct arena *arena, const char *s, size_t n, uint32_t first_line, const struct json **value,
                struct error *error);
