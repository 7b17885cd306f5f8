#pragma once
/*
 * The line a field stands in: report rows name a field's path and its object's line; an editor wants to jump to the
 * field.
 *
 *     struct locate *locate = locate_new(arena, s, n);                 a file's text, borrowed
 *     line = locate_line(locate, 12, "spec.http[0].route[1].destination.host");
 */
#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

struct locate;

struct locate *locate_new(struct arena *arena, const char *s, size_t n);
/* The same for a file; NULL when it cannot be read. */
struct locate *locate_file(struct arena *arena, const char *path);
/*
 * `line`: one inside the object, or where it starts. The line of the field's key; where the path goes on into what is
 * not there ("spec.http[0].route" of a rule without one), that of the last part that is. `line` itself when no document
 * holds it.
 */
uint32_t locate_line(const struct locate *locate, uint32_t line, const char *field);
