#pragma once
/*
 * The kinds weft knows: one row each, in kinds.c. Everything that needs to know a kind (decoding, watching, RBAC, CRDs,
 * the CLI) walks this table; a new kind is a row here, its message in proto/ and its resolve_*.c in translator/.
 */
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct check;
struct close;

enum kind {
	KIND_SERVICE,
	KIND_ENDPOINT_SLICE,
	KIND_ENDPOINTS,
	KIND_POD,
	KIND_NAMESPACE,
	KIND_NODE,
	KIND_CONFIG_MAP,
	KIND_SECRET,
	KIND_SERVICE_ENTRY,
	KIND_WORKLOAD_ENTRY,
	KIND_GATEWAY,
	KIND_VIRTUAL_SERVICE,
	KIND_DESTINATION_RULE,
	KIND_SIDECAR,
	KIND_WORKLOAD_GROUP,
	KIND_ENVOY_FILTER,
	KIND_PROXY_CONFIG,
	KIND_AUTHORIZATION_POLICY,
	KIND_PEER_AUTHENTICATION,
	KIND_REQUEST_AUTHENTICATION,
	KIND_TELEMETRY,
	KIND_WASM_PLUGIN,
	KIND_TRAFFIC_EXTENSION,
	KIND_COUNT,
};

/* A column of `kubectl get`, beside name, state and age. */
struct kind_column {
	const char *name; /* NULL: none */
	const char *path; /* JSONPath; the value is a string */
	const char *help;
};

/* What the CustomResourceDefinition says that neither the row nor the message does (crds/generate.py makes it). */
struct kind_crd {
	const char *categories[3];   /* `kubectl get istio-io`; NULL-terminated */
	const char *storage_version; /* NULL: the preferred one */
	struct kind_column columns[4];
};

struct kind_info {
	const char *group;          /* "" for Kubernetes' core group */
	const char *versions[4];    /* served and read alike, preferred first, NULL-terminated */
	const char *kind;           /* "VirtualService" */
	const char *plural;         /* "virtualservices" */
	const char *short_names[3]; /* "vs"; NULL-terminated */
	const char *spec_field;     /* the message is this field of the object ("spec"); NULL: the object itself */
	const ProtobufCMessageDescriptor *message;
	bool is_cluster_scoped;
	bool is_from_files_only;    /* the API server has it in another kind too: not watched */
	const char *only_name;      /* of this name, in the root namespace, is all that is read; NULL: all are */
	const char *field_selector; /* what of it is watched, by the API server's field selectors; NULL: all */
	bool may_be_forbidden; /* whoever runs weft may withhold it: without the right to read it, what needs it does
	                          not work and everything else does */
	bool is_open;          /* we hold a subset: unknown fields are not mistakes */
	bool is_unread;        /* decoded and checked for mistakes, and then left out: nothing is made of it yet */
	bool may_be_dry_run;   /* annotation istio.io/dry-run: a policy that is only tried out */
	const struct kind_crd *crd; /* NULL: not ours to define */
	/* What can be said of one object by itself (check.h); NULL: nothing. `message` is of the type above. */
	void (*check)(struct check *check, const ProtobufCMessage *message);
	/*
	 * What takes the place of an object that was refused and of which there is no former form, for kinds that keep
	 * somebody out: what it seems to cover is closed (close.h). `message` is as much as could be decoded and is
	 * changed in place; false: without it nothing is open. NULL: as with false.
	 */
	bool (*close)(const struct close *close, ProtobufCMessage *message);
};

extern const struct kind_info kinds[KIND_COUNT];

/* By apiVersion ("networking.istio.io/v1") and kind. The row, or NULL; *kind is set when it is found. */
const struct kind_info *kind_find(const char *api_version, const char *kind_name, enum kind *kind);
/* Whether the group is one of ours, so that an unknown kind or version in it is worth a warning. */
bool kind_is_known_group(const char *api_version);
