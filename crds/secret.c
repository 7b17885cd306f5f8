#include "crds/secret.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

PROTO_ALIAS(k8s_secret_data_entry, K8s__Io__Api__Core__V1__Secret__DataEntry,
            k8s__io__api__core__v1__secret__data_entry)

/* By part; of two names of one part the first wins. */
static const struct {
	const char *name;
	enum secret_part part;
} names[] = {
    {"tls.crt", SECRET_CERTIFICATE}, {"cert", SECRET_CERTIFICATE}, {"tls.key", SECRET_KEY}, {"key", SECRET_KEY},
    {"ca.crt", SECRET_CA},           {"cacert", SECRET_CA},        {"ca.crl", SECRET_CRL},  {"crl", SECRET_CRL},
};

#define NAMES (sizeof names / sizeof names[0])

static bool is_read(const char *name)
{
	for (size_t i = 0; i < NAMES; i++)
		if (text_equal(names[i].name, name))
			return true;
	return false;
}

static const ProtobufCBinaryData *value_of(const k8s_secret *secret, const char *name)
{
	for (size_t i = 0; i < secret->n_data; i++)
		if (text_equal(secret->data[i]->key, name) && secret->data[i]->value.len > 0)
			return &secret->data[i]->value;
	return NULL;
}

void secret_read(const k8s_secret *secret, struct secret_parts *parts)
{
	*parts = (struct secret_parts){0};
	for (size_t i = 0; i < NAMES; i++) {
		struct secret_value *part = &parts->v[names[i].part];
		const ProtobufCBinaryData *value = part->name ? NULL : value_of(secret, names[i].name);
		if (value)
			*part = (struct secret_value){names[i].name, (const char *)value->data, value->len};
	}
}

static k8s_secret_data_entry *entry_of(struct arena *arena, k8s_secret *secret, char *name)
{
	for (size_t i = 0; i < secret->n_data; i++)
		if (text_equal(secret->data[i]->key, name))
			return secret->data[i];
	k8s_secret_data_entry *entry = k8s_secret_data_entry_new(arena);
	entry->key = name;
	BUILD_ADD(arena, secret, data, entry);
	return entry;
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp((*(k8s_secret_data_entry *const *)a)->key, (*(k8s_secret_data_entry *const *)b)->key);
}

void secret_narrow(struct arena *arena, k8s_secret *secret)
{
	size_t n = 0;
	for (size_t i = 0; i < secret->n_data; i++)
		if (is_read(secret->data[i]->key))
			secret->data[n++] = secret->data[i];
	secret->n_data = n;
	for (size_t i = 0; i < secret->n_stringdata; i++) {
		if (!is_read(secret->stringdata[i]->key) || !secret->stringdata[i]->value)
			continue;
		k8s_secret_data_entry *entry = entry_of(arena, secret, secret->stringdata[i]->key);
		entry->has_value = true;
		entry->value.data = (uint8_t *)secret->stringdata[i]->value;
		entry->value.len = strlen(secret->stringdata[i]->value);
	}
	secret->n_stringdata = 0;
	if (secret->n_data > 1)
		qsort(secret->data, secret->n_data, sizeof *secret->data, compare_entries);
}
