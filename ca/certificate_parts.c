#include "ca/certificate_parts.h"

bool certificate_parts_next(struct der *extensions, struct certificate_extension *extension)
{
	struct der body, critical = {0};
	if (!der_read(extensions, DER_SEQUENCE, &body) || !der_read(&body, DER_OID, &extension->id))
		return false;
	if (der_is_next(body, DER_BOOLEAN) && (!der_read(&body, DER_BOOLEAN, &critical) || !critical.s[0]))
		return false; /* false is the default, and left out */
	extension->is_critical = critical.n > 0;
	return der_read(&body, DER_OCTET_STRING, &extension->value) && der_is_done(body);
}

static bool read_extensions(struct der *range, struct der *extensions)
{
	struct der field;
	struct certificate_extension extension;
	*extensions = (struct der){0};
	if (!der_is_next(*range, DER_EXPLICIT(3)))
		return true;
	if (!der_read(range, DER_EXPLICIT(3), &field) || !der_read(&field, DER_SEQUENCE, extensions) ||
	    !der_is_done(field))
		return false;
	for (struct der rest = *extensions; !der_is_done(rest);)
		if (!certificate_parts_next(&rest, &extension))
			return false;
	return true;
}

static bool read_public_key(struct der *range, struct certificate_parts *parts)
{
	struct der rest, body, algorithm;
	if (!der_read_whole(range, DER_SEQUENCE, &parts->public_key))
		return false;
	rest = parts->public_key;
	return der_read(&rest, DER_SEQUENCE, &body) && der_read(&body, DER_SEQUENCE, &algorithm) &&
	       der_read_octets_of_bits(&body, &parts->key_bits) && der_is_done(body);
}

static bool skip_unique_ids(struct der *range, bool *has_any)
{
	struct der id;
	*has_any = false;
	for (unsigned number = 1; number <= 2; number++) {
		if (!der_is_next(*range, DER_IMPLICIT(number)))
			continue;
		if (!der_read(range, DER_IMPLICIT(number), &id))
			return false;
		*has_any = true;
	}
	return true;
}

static bool read_signed_part(struct der part, struct certificate_parts *parts)
{
	struct der body;
	parts->version = (struct der){0};
	return der_read(&part, DER_SEQUENCE, &body) &&
	       (!der_is_next(body, DER_EXPLICIT(0)) || der_read(&body, DER_EXPLICIT(0), &parts->version)) &&
	       der_read(&body, DER_INTEGER, &parts->serial) && der_read_whole(&body, DER_SEQUENCE, &parts->algorithm) &&
	       der_read_whole(&body, DER_SEQUENCE, &parts->issuer) && der_read(&body, DER_SEQUENCE, &parts->validity) &&
	       der_read(&body, DER_SEQUENCE, &parts->subject) && read_public_key(&body, parts) &&
	       skip_unique_ids(&body, &parts->has_unique_ids) && read_extensions(&body, &parts->extensions) &&
	       der_is_done(body);
}

bool certificate_parts_read(struct der certificate, struct certificate_parts *parts)
{
	struct der body;
	return der_read(&certificate, DER_SEQUENCE, &body) && der_is_done(certificate) &&
	       der_read_whole(&body, DER_SEQUENCE, &parts->signed_part) &&
	       der_read_whole(&body, DER_SEQUENCE, &parts->outer_algorithm) &&
	       der_read_octets_of_bits(&body, &parts->signature) && der_is_done(body) &&
	       read_signed_part(parts->signed_part, parts);
}

bool certificate_parts_times(const struct certificate_parts *parts, int64_t *begin_s, int64_t *end_s)
{
	struct der range = parts->validity;
	return der_read_time(&range, begin_s) && der_read_time(&range, end_s) && der_is_done(range);
}
