#include "ca/csr_parts.h"

/* extensionRequest (RFC 2985, 5.4.2), and Microsoft's own name for it. */
static const struct der extension_request = DER_CONST("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e");
static const struct der ms_extension_request = DER_CONST("\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e");

static bool malformed(struct refusal *refusal, const char *what)
{
	return refusal_set(refusal, REFUSAL_MALFORMED, "%s", what);
}

/* AlgorithmIdentifier: an id and, or not, one parameter of any kind. */
static bool read_algorithm(struct der *range, struct der *id)
{
	struct der body, parameter;
	unsigned tag = 0;
	return der_read(range, DER_SEQUENCE, &body) && der_read(&body, DER_OID, id) &&
	       (der_is_done(body) || der_read_any(&body, &tag, &parameter)) && der_is_done(body);
}

static bool read_public_key(struct der *range, struct der *whole)
{
	struct der rest, body, id, bits;
	if (!der_read_whole(range, DER_SEQUENCE, whole))
		return false;
	rest = *whole;
	return der_read(&rest, DER_SEQUENCE, &body) && read_algorithm(&body, &id) &&
	       der_read(&body, DER_BIT_STRING, &bits) && der_is_done(body);
}

/* SEQUENCE OF SET OF SEQUENCE { type, value }. Nobody reads it further: it names nobody. */
static bool read_subject(struct der *range)
{
	struct der names, name, pair, type, value;
	unsigned tag = 0;
	if (!der_read(range, DER_SEQUENCE, &names))
		return false;
	while (!der_is_done(names)) {
		if (!der_read(&names, DER_SET, &name) || der_is_done(name))
			return false;
		while (!der_is_done(name))
			if (!der_read(&name, DER_SEQUENCE, &pair) || !der_read(&pair, DER_OID, &type) ||
			    !der_read_any(&pair, &tag, &value) || !der_is_done(pair))
				return false;
	}
	return true;
}

/* Extension: id, whether it is critical (false should not be said, but some say it), value. */
static bool read_extension(struct der *range, struct der *id, struct der *value)
{
	struct der body, is_critical;
	return der_read(range, DER_SEQUENCE, &body) && der_read(&body, DER_OID, id) &&
	       (!der_is_next(body, DER_BOOLEAN) || der_read(&body, DER_BOOLEAN, &is_critical)) &&
	       der_read(&body, DER_OCTET_STRING, value) && der_is_done(body);
}

static bool read_extensions(struct der list, struct der *extensions)
{
	struct der id, value;
	if (!der_read(&list, DER_SEQUENCE, extensions) || !der_is_done(list))
		return false;
	for (struct der rest = *extensions; !der_is_done(rest);)
		if (!read_extension(&rest, &id, &value))
			return false;
	return true;
}

/* Attribute: a type and a SET of values. *lists: values that are lists of extensions, of which *list is the last. */
static bool read_attribute(struct der *range, size_t *lists, struct der *list)
{
	struct der body, type, values, value;
	unsigned tag = 0;
	if (!der_read(range, DER_SEQUENCE, &body) || !der_read(&body, DER_OID, &type) ||
	    !der_read(&body, DER_SET, &values) || !der_is_done(body))
		return false;
	bool is_list = der_equal(type, extension_request) || der_equal(type, ms_extension_request);
	while (!der_is_done(values)) {
		struct der whole = values;
		if (!der_read_any(&values, &tag, &value))
			return false;
		whole.n -= values.n;
		if (is_list) {
			*list = whole;
			(*lists)++;
		}
	}
	return true;
}

/* There is one list at most, under either of its names: whoever read only the first would pass over the others. */
static bool read_attributes(struct der *range, struct der *extensions, struct refusal *refusal)
{
	struct der attributes = {0}, list = {0};
	size_t lists = 0;
	if (!der_is_done(*range) && !der_read(range, DER_EXPLICIT(0), &attributes))
		return malformed(refusal, "the certificate request cannot be read");
	while (!der_is_done(attributes))
		if (!read_attribute(&attributes, &lists, &list))
			return malformed(refusal, "the certificate request cannot be read");
	if (lists > 1)
		return malformed(refusal, "the certificate request has more than one list of extensions");
	return lists == 0 || read_extensions(list, extensions) ||
	       malformed(refusal, "the extensions in the certificate request cannot be read");
}

static bool read_request(struct der *range, struct der *info, struct csr_parts *parts)
{
	struct der body, rest;
	if (!der_read(range, DER_SEQUENCE, &body) || !der_read_whole(&body, DER_SEQUENCE, &parts->signed_part) ||
	    !read_algorithm(&body, &parts->algorithm) || !der_read_octets_of_bits(&body, &parts->signature) ||
	    !der_is_done(body))
		return false;
	rest = parts->signed_part;
	return der_read(&rest, DER_SEQUENCE, info);
}

/* Whatever its version is: there is one only, and many do not know that it is 0. */
bool csr_parts_read(struct der request, struct csr_parts *parts, struct refusal *refusal)
{
	struct der info, version;
	*parts = (struct csr_parts){0};
	if (!read_request(&request, &info, parts) || !der_read(&info, DER_INTEGER, &version) || !read_subject(&info) ||
	    !read_public_key(&info, &parts->public_key))
		return malformed(refusal, "the certificate request cannot be read");
	if (!read_attributes(&info, &parts->extensions, refusal))
		return false;
	if (!der_is_done(info))
		return malformed(refusal, "the certificate request cannot be read");
	return der_is_done(request) || malformed(refusal, "bytes follow the certificate request");
}

enum csr_extension csr_parts_extension(const struct csr_parts *parts, struct der id, struct der *value)
{
	struct der found, content;
	enum csr_extension how = CSR_EXTENSION_NONE;
	for (struct der rest = parts->extensions; !der_is_done(rest) && read_extension(&rest, &found, &content);) {
		if (!der_equal(found, id))
			continue;
		if (how == CSR_EXTENSION_ONE)
			return CSR_EXTENSION_TWICE;
		how = CSR_EXTENSION_ONE;
		*value = content;
	}
	return how;
}
