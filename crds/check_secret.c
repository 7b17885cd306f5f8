/*
 * Secrets that hold certificates: what does not fit together is refused, so that the last good form stays in force and
 * no proxy has to find out. A Secret without any of it is none of ours and is not judged.
 */
#include "base/text.h"
#include "ca/certificate.h"
#include "ca/pem.h"
#include "ca/private_key.h"
#include "crds/check.h"
#include "crds/secret.h"

#include <string.h>

static struct pem_file file_of(const struct secret_value *value)
{
	return (struct pem_file){.name = value->name, .s = value->s, .n = value->n};
}

static bool check_size(struct check *check, const struct secret_value *value)
{
	if (value->n <= SECRET_PART_BYTES_MAX)
		return true;
	check_enter(check, "data");
	check_error(check, value->name, "%zu bytes; at most %u are possible", value->n, SECRET_PART_BYTES_MAX);
	check_leave(check);
	return false;
}

static void complain(struct check *check, const struct secret_value *value, const struct error *error)
{
	check_enter(check, "data");
	check_error(check, value->name, "%s", error->message);
	check_leave(check);
}

/* A certificate without its key, or the reverse, serves nobody; that is said where it is named. */
static void check_pair(struct check *check, const struct secret_value *chain, const struct secret_value *key)
{
	struct error error;
	const struct pem_file chain_file = file_of(chain), key_file = file_of(key);
	CLEANUP(certificates_freep) STACK_OF(X509) *certificates = certificates_read(&chain_file, &error);
	if (!certificates) {
		complain(check, chain, &error);
		return;
	}
	CLEANUP(private_key_freep) EVP_PKEY *private_key = private_key_read(&key_file, &error);
	if (!private_key) {
		complain(check, key, &error);
	} else if (!private_key_belongs(private_key, sk_X509_value(certificates, 0))) {
		error_set(&error, "the private key is not that of the first certificate in %s", chain->name);
		complain(check, key, &error);
	}
}

static void check_authorities(struct check *check, const struct secret_value *value)
{
	struct error error;
	const struct pem_file file = file_of(value);
	CLEANUP(certificates_freep) STACK_OF(X509) *certificates = certificates_read(&file, &error);
	if (!certificates)
		complain(check, value, &error);
}

static bool is_crl(const struct secret_value *value, struct error *error)
{
	CLEANUP(pem_reader_freep) struct pem_reader *reader = pem_reader_new(value->s, value->n);
	struct pem_block block;
	bool has_any = false, is_good = true;
	while (is_good && pem_next(reader, &block, error)) {
		is_good = strcmp(block.label, "X509 CRL") == 0;
		if (!is_good)
			error_set(error, "a %s stands where revocation lists should", block.label);
		has_any = true;
		pem_block_done(&block);
	}
	if (!is_good || pem_is_broken(reader))
		return false;
	return has_any || error_set(error, "there is no revocation list in it");
}

void check_secret(struct check *check, const ProtobufCMessage *message)
{
	struct secret_parts parts;
	secret_read((const k8s_secret *)message, &parts);
	for (size_t i = 0; i < SECRET_PART_COUNT; i++)
		if (parts.v[i].name && !check_size(check, &parts.v[i]))
			return;
	if (parts.v[SECRET_CERTIFICATE].name && parts.v[SECRET_KEY].name)
		check_pair(check, &parts.v[SECRET_CERTIFICATE], &parts.v[SECRET_KEY]);
	if (parts.v[SECRET_CA].name)
		check_authorities(check, &parts.v[SECRET_CA]);
	struct error error;
	if (parts.v[SECRET_CRL].name && !is_crl(&parts.v[SECRET_CRL], &error))
		complain(check, &parts.v[SECRET_CRL], &error);
}
