#pragma once
/*
 * What a YAML scalar means: the resolution table of Kubernetes' YAML library (sigs.k8s.io/yaml, which is go-yaml v2),
 * so that a document means here what it means to the API server.
 */
#include "base/json.h"

/* What its tag says of a scalar; YAML_TAG_NONE for an untagged plain one. */
enum yaml_tag { YAML_TAG_NONE, YAML_TAG_STR, YAML_TAG_BOOL, YAML_TAG_INT, YAML_TAG_FLOAT, YAML_TAG_NULL };

/* A tag as libyaml gives it ("tag:yaml.org,2002:str", "!"); false for one we do not know. */
bool yaml_tag_parse(const char *name, enum yaml_tag *tag);
/* Sets type and content; s is NUL-terminated and lives as long as the value. */
bool yaml_scalar_resolve(const char *s, size_t n, enum yaml_tag tag, struct json *value, struct error *error);
