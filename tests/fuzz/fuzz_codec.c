/*
 * A document (YAML, of which JSON is a part) through the codec and out again. The first byte picks the message's type:
 * B is the first row of kinds, C the second, and so on.
 * What was decoded must print as JSON that reads back without an issue and prints the same, and the same over the wire.
 */
#include "base/yaml.h"
#include "proto/codec.h"
#include "proto/istio.h"
#include "proto/kubernetes.h"
#include "proto/pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct {
	const ProtobufCMessageDescriptor *type;
	bool is_open;
} kinds[] = {
    {&istio__networking__v1alpha3__virtual_service__descriptor, false},
    {&istio__networking__v1alpha3__destination_rule__descriptor, false},
    {&istio__networking__v1alpha3__gateway__descriptor, false},
    {&istio__networking__v1alpha3__service_entry__descriptor, false},
    {&istio__networking__v1alpha3__workload_entry__descriptor, false},
    {&k8s__io__api__core__v1__service__descriptor, true},
    {&k8s__io__api__core__v1__pod__descriptor, true},
    {&k8s__io__api__discovery__v1__endpoint_slice__descriptor, true},
    {&istio__mesh__v1alpha1__mesh_config__descriptor, false},
    {&google__protobuf__struct__descriptor, false},
    {&google__protobuf__any__descriptor, false},
    {&istio__security__v1beta1__peer_authentication__descriptor, false}, /* a map by numbers */
};

static void check_document(struct arena *arena, const ProtobufCMessageDescriptor *type, bool is_open,
                           const struct json *value)
{
	const struct codec_options options = {.path = "spec", .is_open = is_open};
	struct codec_issues issues = {0}, none = {0};
	ProtobufCMessage *message = codec_decode(arena, type, value, &options, &issues);
	assert(message && issues.n <= CODEC_ISSUES_MAX);
	CLEANUP(text_done) struct text out = {0}, again = {0}, wire = {0};
	codec_print(message, 0, &out);

	struct error error;
	const struct json *tree = json_parse(arena, text_get(&out), out.n, &error);
	if (!tree) /* an opened Any may be larger or deeper than a document may be */
		return;
	codec_print(codec_decode(arena, type, tree, NULL, &none), 0, &again);
	assert(none.n == 0 && strcmp(text_get(&out), text_get(&again)) == 0);

	struct bytes bytes = pack(arena, message);
	const ProtobufCMessage *unpacked = unpack(arena, type, bytes.data, bytes.n, &error);
	if (!unpacked)
		return;
	codec_print(unpacked, 2, &wire);
	wire.n = 0;
	codec_print(unpacked, 0, &wire);
	assert(strcmp(text_get(&out), text_get(&wire)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n == 0)
		return 0;
	size_t kind = data[0] % (sizeof kinds / sizeof kinds[0]);
	struct yaml_reader reader;
	char *text = malloc(n); /* a buffer of its own, so that reading past it is seen */
	assert(text);
	memcpy(text, data + 1, n - 1);
	yaml_reader_init(&reader, text, n - 1);
	for (;;) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct yaml_document document;
		if (!yaml_reader_next(&reader, arena, &document))
			break;
		if (document.value)
			check_document(arena, kinds[kind].type, kinds[kind].is_open, document.value);
	}
	free(text);
	return 0;
}
