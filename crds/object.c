#include "crds/object.h"

#include "base/text.h"
#include "base/vec.h"
#include "crds/check.h"
#include "crds/close.h"
#include "crds/hostname.h"
#include "crds/secret.h"
#include "proto/pack.h"

#include <assert.h>
#include <ctype.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 253
#define NAMESPACE_MAX_BYTES 63

/* Annotations that may change a proxy's configuration: the others are not part of the digest. */
static const char *const annotations_that_matter[] = {
    "alpha.istio.io/canonical-serviceaccounts",
    "alpha.istio.io/kubernetes-serviceaccounts",
    "internal.istio.io/gateway-semantics",
    "internal.istio.io/route-semantics",
    "istio.io/dry-run",
    "networking.istio.io/exportTo",
    "networking.istio.io/traffic-distribution",
    "service.kubernetes.io/topology-mode",
};

/* Members of an object beside its spec; a kind that is its own message has fields instead. */
static const char *const object_members[] = {"apiVersion", "kind", "metadata", "status"};

/* Fields that Istio's API had once. What still writes them is served by Istio, without them, so it is here. */
static const char *const retired_fields[] = {
    "appendHeaders",        "appendRequestHeaders",  "appendResponseHeaders",
    "removeRequestHeaders", "removeResponseHeaders", "websocketUpgrade",
};

/* What decoding one document needs all along. */
struct decoding {
	struct arena *scratch;
	const struct json *document;
	const struct kind_info *info;
	struct object *object;
	struct codec_issues *issues;
};

__attribute__((format(printf, 5, 6))) static void
add_issue(struct decoding *decoding, bool is_warning, const char *path, const struct json *at, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct codec_issue issue = {
	    .path = path,
	    .message = arena_vprintf(decoding->scratch, format, args),
	    .line = at ? at->line : decoding->document->line,
	    .column = at ? at->column : decoding->document->column,
	    .is_warning = is_warning,
	};
	va_end(args);
	codec_issues_add(decoding->scratch, decoding->issues, &issue);
}

struct object_claim object_claim(const struct json *document)
{
	const struct json *metadata = json_get(document, "metadata");
	struct object_claim claim = {
	    .api_version = json_get_string(document, "apiVersion"),
	    .kind = json_get_string(document, "kind"),
	    .namespace = json_get_string(metadata, "namespace"),
	    .name = json_get_string(metadata, "name"),
	};
	enum kind kind = KIND_COUNT;
	const struct kind_info *info =
	    claim.api_version && claim.kind ? kind_find(claim.api_version, claim.kind, &kind) : NULL;
	if (info && info->is_cluster_scoped)
		claim.namespace = "";
	else if (text_is_empty(claim.namespace))
		claim.namespace = "default";
	return claim;
}

/* DNS-1123: labels joined by dots, or one label alone. Capitals are let pass here, see check_names. */
static bool is_name(const char *s, size_t max, bool may_have_dots)
{
	if (strlen(s) > max || (!may_have_dots && strchr(s, '.')))
		return false;
	for (;; s++) {
		size_t n = strcspn(s, ".");
		if (n == 0 || s[0] == '-' || s[n - 1] == '-')
			return false;
		for (size_t i = 0; i < n; i++)
			if (!isalnum((unsigned char)s[i]) && s[i] != '-')
				return false;
		s += n;
		if (*s == '\0')
			return true;
	}
}

static bool has_capitals(const char *s)
{
	for (; *s; s++)
		if (isupper((unsigned char)*s))
			return true;
	return false;
}

static const struct json *metadata_member(const struct decoding *decoding, const char *key)
{
	const struct json *metadata = json_get(decoding->document, "metadata");
	const struct json *value = json_get(metadata, key);
	return value ? value : metadata;
}

static void check_names(struct decoding *decoding)
{
	const struct object *object = decoding->object;
	const struct json *name = metadata_member(decoding, "name");
	if (text_is_empty(object->name))
		add_issue(decoding, false, "metadata.name", name, "an object needs a name");
	else if (!is_name(object->name, NAME_MAX_BYTES, true))
		add_issue(decoding, false, "metadata.name", name,
		          "\"%s\" is not a name: letters, digits, \"-\" and \".\" inside, at most %d characters",
		          object->name, NAME_MAX_BYTES);
	else if (has_capitals(object->name))
		add_issue(decoding, true, "metadata.name", name, "Kubernetes takes no capitals in names: \"%s\"",
		          object->name);
	if (!decoding->info->is_cluster_scoped &&
	    (!is_name(object->namespace, NAMESPACE_MAX_BYTES, false) || has_capitals(object->namespace)))
		add_issue(decoding, false, "metadata.namespace", metadata_member(decoding, "namespace"),
		          "\"%s\" is not a namespace: lower-case letters, digits and \"-\" inside, at most %d",
		          object->namespace, NAMESPACE_MAX_BYTES);
}

static int label_compare(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

/* A map<string, string> of the metadata as sorted labels. */
#define LABELS_FROM(arena, meta, map, labels, n)                                                                       \
	do {                                                                                                           \
		struct label *label_v = ARENA_NEW_N((arena), struct label, (meta)->n_##map);                           \
		for (size_t label_i = 0; label_i < (meta)->n_##map; label_i++) {                                       \
			label_v[label_i].key = (meta)->map[label_i]->key ? (meta)->map[label_i]->key : "";             \
			label_v[label_i].value = (meta)->map[label_i]->value ? (meta)->map[label_i]->value : "";       \
		}                                                                                                      \
		qsort(label_v, (meta)->n_##map, sizeof *label_v, label_compare);                                       \
		*(labels) = label_v;                                                                                   \
		*(n) = (meta)->n_##map;                                                                                \
	} while (0)

static void take_metadata(struct decoding *decoding, const k8s_object_meta *meta)
{
	struct object *object = decoding->object;
	object->name = meta->name ? meta->name : "";
	object->namespace = decoding->info->is_cluster_scoped ? ""
	                    : text_is_empty(meta->namespace_) ? "default"
	                                                      : meta->namespace_;
	object->uid = meta->uid ? meta->uid : "";
	object->resource_version = meta->resourceversion ? meta->resourceversion : "";
	object->generation = meta->generation;
	object->created_s = meta->creationtimestamp ? meta->creationtimestamp->seconds : 0;
	LABELS_FROM(object->arena, meta, labels, &object->labels, &object->n_labels);
	LABELS_FROM(object->arena, meta, annotations, &object->annotations, &object->n_annotations);
	check_names(decoding);
}

/* Only what decides: a Pod's conditions come and go with each probe, but only Ready is looked at. */
static void drop_what_never_matters(struct arena *arena, ProtobufCMessage *message)
{
	if (message->descriptor == k8s_secret_type())
		secret_narrow(arena, (k8s_secret *)message);
	if (message->descriptor != k8s_pod_type())
		return;
	k8s_pod_status *status = ((k8s_pod *)message)->status;
	size_t n = 0;
	for (size_t i = 0; status && i < status->n_conditions; i++)
		if (text_equal(status->conditions[i]->type, "Ready"))
			status->conditions[n++] = status->conditions[i];
	if (status)
		status->n_conditions = n;
}

/* Where a whole-object message keeps its metadata. */
static k8s_object_meta **metadata_slot(ProtobufCMessage *message)
{
	const ProtobufCFieldDescriptor *field =
	    protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "metadata");
	assert(field && field->type == PROTOBUF_C_TYPE_MESSAGE);
	return (k8s_object_meta **)((char *)message + field->offset);
}

/* The message; metadata that it holds goes to the object and stays out of the message. */
static ProtobufCMessage *decode_message(struct decoding *decoding)
{
	struct arena *arena = decoding->object->arena;
	const struct kind_info *info = decoding->info;
	struct codec_options options = {.path = info->spec_field, .is_open = info->is_open};
	struct codec_options meta_options = {.path = "metadata", .is_open = true};
	k8s_object_meta *meta = NULL;
	ProtobufCMessage *message = NULL;
	if (info->spec_field) {
		static const struct json none = {.type = JSON_OBJECT};
		const struct json *spec = json_get(decoding->document, info->spec_field);
		const struct json *metadata = json_get(decoding->document, "metadata");
		meta = (k8s_object_meta *)codec_decode(arena, k8s_object_meta_type(), metadata ? metadata : &none,
		                                       &meta_options, decoding->issues);
		message = codec_decode(arena, info->message, spec ? spec : &none, &options, decoding->issues);
	} else {
		message = codec_decode(arena, info->message, decoding->document, &options, decoding->issues);
		k8s_object_meta **slot = metadata_slot(message);
		meta = *slot ? *slot : k8s_object_meta_new(arena);
		*slot = NULL;
	}
	take_metadata(decoding, meta);
	drop_what_never_matters(arena, message);
	return message;
}

static bool is_object_member(const struct kind_info *info, const char *key)
{
	if (strcmp(key, info->spec_field) == 0)
		return true;
	for (size_t i = 0; i < sizeof object_members / sizeof object_members[0]; i++)
		if (strcmp(key, object_members[i]) == 0)
			return true;
	return false;
}

static void check_members(struct decoding *decoding)
{
	const struct json *document = decoding->document;
	for (size_t i = 0; decoding->info->spec_field && i < document->object.n; i++) {
		const struct json_member *member = &document->object.v[i];
		if (is_object_member(decoding->info, member->key))
			continue;
		struct codec_issue issue = {
		    .path = member->key,
		    .message = arena_printf(decoding->scratch, "unknown field \"%s\"", member->key),
		    .line = member->line,
		    .column = member->column,
		    .is_unknown_field = true,
		};
		codec_issues_add(decoding->scratch, decoding->issues, &issue);
	}
}

static bool matters(const char *annotation)
{
	const char **found = bsearch(&annotation, annotations_that_matter,
	                             sizeof annotations_that_matter / sizeof annotations_that_matter[0],
	                             sizeof annotations_that_matter[0], text_compare);
	return found != NULL;
}

static struct digest object_digest(struct arena *scratch, const struct object *object)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_str(&state, kinds[object->kind].kind);
	digest_add_str(&state, object->namespace);
	digest_add_str(&state, object->name);
	digest_add_u64(&state, (uint64_t)object->created_s);
	digest_add_u64(&state, object->is_stand_in);
	digest_add_u64(&state, object->n_labels);
	for (size_t i = 0; i < object->n_labels; i++) {
		digest_add_str(&state, object->labels[i].key);
		digest_add_str(&state, object->labels[i].value);
	}
	for (size_t i = 0; i < object->n_annotations; i++) {
		if (!matters(object->annotations[i].key))
			continue;
		digest_add_str(&state, object->annotations[i].key);
		digest_add_str(&state, object->annotations[i].value);
	}
	struct bytes bytes = pack(scratch, object->message);
	digest_add(&state, bytes.data, bytes.n);
	return digest_final(&state);
}

/* The last name of a path, in camelCase or snake_case, against the table. */
static bool is_retired(const char *path)
{
	const char *dot = strrchr(path, '.');
	const char *name = dot ? dot + 1 : path;
	for (size_t i = 0; i < sizeof retired_fields / sizeof retired_fields[0]; i++) {
		const char *a = name, *b = retired_fields[i];
		for (; *a && *b; a++)
			if (*a != '_') {
				if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
					break;
				b++;
			}
		if (*a == '\0' && *b == '\0')
			return true;
	}
	return false;
}

static void excuse_retired(struct decoding *decoding)
{
	for (size_t i = 0; i < decoding->issues->n; i++) {
		struct codec_issue *issue = &decoding->issues->v[i];
		if (!issue->is_unknown_field || !is_retired(issue->path))
			continue;
		issue->is_warning = true;
		issue->message = "is no longer part of Istio's API: it has no effect";
	}
}

static bool has_error(const struct codec_issues *issues)
{
	for (size_t i = 0; i < issues->n; i++)
		if (!issues->v[i].is_warning)
			return true;
	return false;
}

/* Issues live in `scratch`; codec_decode puts them where the message is. */
static void move_issues(struct arena *scratch, struct codec_issues *issues, const struct codec_issues *found)
{
	for (size_t i = 0; i < found->n; i++) {
		struct codec_issue issue = found->v[i];
		issue.path = issue.path ? arena_strdup(scratch, issue.path) : NULL;
		issue.message = arena_strdup(scratch, issue.message);
		codec_issues_add(scratch, issues, &issue);
	}
}

static struct object *object_new(enum kind kind, const struct origin *origin)
{
	struct arena *arena = arena_new();
	struct object *object = ARENA_NEW(arena, struct object);
	object->arena = arena;
	object->kind = kind;
	object->origin = *origin;
	object->origin.file = origin->file ? arena_strdup(arena, origin->file) : NULL;
	atomic_init(&object->refs, 1);
	return object;
}

/* As much of the message as there is, with all that is wrong. */
static ProtobufCMessage *decode_and_check(struct decoding *decoding)
{
	const struct object *object = decoding->object;
	check_members(decoding);
	ProtobufCMessage *message = decode_message(decoding);
	excuse_retired(decoding);
	/* a check of what could not be decoded would speak of values that nobody wrote */
	if (!has_error(decoding->issues))
		check_object(object->arena, object, decoding->document, message, decoding->issues);
	return message;
}

static struct object *decode(struct decoding *decoding)
{
	struct object *object = decoding->object;
	ProtobufCMessage *message = decode_and_check(decoding);
	if (has_error(decoding->issues))
		return NULL;
	object->message = message;
	object->digest = object_digest(decoding->scratch, object);
	return object;
}

struct object *object_decode(struct arena *scratch, const struct json *document, const struct origin *origin,
                             struct codec_issues *issues)
{
	struct codec_issues found = {0};
	struct decoding decoding = {.scratch = scratch, .document = document, .issues = &found};
	struct object_claim claim = object_claim(document);
	enum kind kind = KIND_COUNT;
	if (!claim.api_version || !claim.kind) {
		const char *missing = claim.api_version ? "kind" : "apiVersion";
		add_issue(&decoding, false, missing, json_get(document, missing),
		          "not a Kubernetes object: it has no %s", missing);
		move_issues(scratch, issues, &found);
		return NULL;
	}
	decoding.info = kind_find(claim.api_version, claim.kind, &kind);
	if (!decoding.info)
		return NULL;
	decoding.object = object_new(kind, origin);
	struct object *object = decode(&decoding);
	move_issues(scratch, issues, &found);
	if (!object)
		object_unref(decoding.object);
	return object;
}

/* The kind that closes; of a document without apiVersion, or with a version that its group does not have, too. */
static const struct kind_info *kind_to_close(const struct object_claim *claim, enum kind *kind)
{
	for (size_t i = 0; claim->kind && i < KIND_COUNT; i++) {
		size_t n = strlen(kinds[i].group);
		*kind = (enum kind)i;
		if (kinds[i].close && strcmp(kinds[i].kind, claim->kind) == 0 &&
		    (!claim->api_version ||
		     (text_has_prefix(claim->api_version, kinds[i].group) && claim->api_version[n] == '/')))
			return &kinds[i];
	}
	return NULL;
}

struct object *object_stand_in(struct arena *scratch, const struct json *document, const struct origin *origin)
{
	struct object_claim claim = object_claim(document);
	struct codec_issues issues = {0};
	enum kind kind = KIND_COUNT;
	struct decoding decoding = {.scratch = scratch, .document = document, .issues = &issues};
	decoding.info = kind_to_close(&claim, &kind);
	if (!decoding.info)
		return NULL;
	struct object *object = decoding.object = object_new(kind, origin);
	ProtobufCMessage *message = decode_and_check(&decoding);
	const struct close close = {object->arena, json_get(document, decoding.info->spec_field), &issues};
	if (!decoding.info->close(&close, message)) {
		object_unref(object);
		return NULL;
	}
	if (text_is_empty(object->name))
		object->name =
		    arena_printf(object->arena, OBJECT_UNNAMED " at %u:%u)", document->line, document->column);
	object->is_stand_in = true;
	object->message = message;
	object->digest = object_digest(scratch, object);
	return object;
}

struct object *object_ref(struct object *object)
{
	atomic_fetch_add_explicit(&object->refs, 1, memory_order_relaxed);
	return object;
}

void object_unref(struct object *object)
{
	if (object && atomic_fetch_sub_explicit(&object->refs, 1, memory_order_acq_rel) == 1)
		arena_free(object->arena);
}

static const char *find_label(const struct label *labels, size_t n, const char *key)
{
	if (n == 0)
		return NULL;
	const struct label wanted = {.key = key};
	const struct label *found = bsearch(&wanted, labels, n, sizeof *labels, label_compare);
	return found ? found->value : NULL;
}

const char *object_label(const struct object *object, const char *key)
{
	return find_label(object->labels, object->n_labels, key);
}

const char *object_annotation(const struct object *object, const char *key)
{
	return find_label(object->annotations, object->n_annotations, key);
}

int object_compare(const struct object *a, const struct object *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	int order = strcmp(a->namespace, b->namespace);
	return order ? order : strcmp(a->name, b->name);
}

const char *object_id(struct arena *arena, const struct object *object)
{
	if (text_is_empty(object->namespace))
		return arena_printf(arena, "%s/%s", kinds[object->kind].kind, object->name);
	return arena_printf(arena, "%s/%s/%s", kinds[object->kind].kind, object->namespace, object->name);
}
