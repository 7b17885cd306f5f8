#pragma once
/*
 * A policy that names one of the mesh's trust domains means all of them: those that it had before count on, without
 * anybody editing policies. In principals "cluster.local" stands for the mesh's own, whatever it is called.
 */
#include "base/arena.h"
#include "translator/model_terms.h"

/* Of principals "TRUST-DOMAIN/ns/NAMESPACE/sa/SERVICE-ACCOUNT", with a "*" at either end. Others, and those of any
 * trust domain ("*"), stay as they are. */
struct strings trust_domain_aliases_of_principals(struct arena *arena, const struct strings *trust_domains,
                                                  const struct strings *principals);
/* Of trust domains; those with a "*" stay as they are. */
struct strings trust_domain_aliases_of(struct arena *arena, const struct strings *trust_domains,
                                       const struct strings *values);
