#pragma once
/*
 * Secrets that a proxy asked for and is not given: what it may have was settled when its configuration was made
 * (translator/scope_secrets.c), here is only said, and counted, why it goes without. The words are the same whether
 * there is such a Secret or not.
 */
#include "server/xds/stream.h"

/* As far as the name tells. */
enum xds_withholding withheld_why(const struct node *node, const char *name);
const char *withheld_label(enum xds_withholding why); /* lower_snake_case */
void withheld_note(struct stream_env *env, const struct node *node, const struct name_list *names); /* NULL: none */
