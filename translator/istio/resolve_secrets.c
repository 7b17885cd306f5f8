/* Secrets that hold certificates. Others are left out: what they hold is for nobody here. */
#include "crds/secret.h"
#include "translator/istio/istio_parts.h"

static struct blob blob_of(const struct secret_value *value)
{
	return (struct blob){value->s, value->n};
}

void resolve_secrets(struct draft *draft)
{
	const struct snapshot_kind *objects = &draft->snapshot->kinds[KIND_SECRET];
	for (size_t i = 0; i < objects->n; i++) {
		const struct object *object = objects->v[i];
		struct secret_parts parts;
		secret_read((const k8s_secret *)object->message, &parts);
		bool has_pair = parts.v[SECRET_CERTIFICATE].name && parts.v[SECRET_KEY].name;
		if (!has_pair && !parts.v[SECRET_CA].name)
			continue;
		struct secret *secret = ARENA_NEW(draft->arena, struct secret);
		*secret = (struct secret){
		    .name = object->name,
		    .namespace = object->namespace,
		    .ca = blob_of(&parts.v[SECRET_CA]),
		    .crl = blob_of(&parts.v[SECRET_CRL]),
		    .digest = object->digest,
		};
		if (has_pair) {
			secret->certificate = blob_of(&parts.v[SECRET_CERTIFICATE]);
			secret->key = blob_of(&parts.v[SECRET_KEY]);
		}
		VEC_PUSH(draft->arena, &draft->secrets, secret);
	}
}
