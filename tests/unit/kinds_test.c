#include "crds/kinds.h"

#include "proto/kubernetes.h"
#include "tests/unit/unit.h"

#include <string.h>

START_TEST(test_find)
{
	static const struct {
		const char *api_version, *kind;
		int want; /* KIND_COUNT: none */
	} rows[] = {
	    {"v1", "Service", KIND_SERVICE},
	    {"v1", "Endpoints", KIND_ENDPOINTS},
	    {"v1", "Pod", KIND_POD},
	    {"discovery.k8s.io/v1", "EndpointSlice", KIND_ENDPOINT_SLICE},
	    {"networking.istio.io/v1", "VirtualService", KIND_VIRTUAL_SERVICE},
	    {"networking.istio.io/v1beta1", "VirtualService", KIND_VIRTUAL_SERVICE},
	    {"networking.istio.io/v1alpha3", "VirtualService", KIND_VIRTUAL_SERVICE},
	    {"networking.istio.io/v1alpha3", "Gateway", KIND_GATEWAY},
	    {"networking.istio.io/v2", "VirtualService", KIND_COUNT},
	    {"networking.istio.io/", "VirtualService", KIND_COUNT},
	    {"networking.istio/v1", "VirtualService", KIND_COUNT},
	    {"gateway.networking.k8s.io/v1", "Gateway", KIND_COUNT},
	    {"discovery.k8s.io/v1beta1", "EndpointSlice", KIND_COUNT},
	    {"v1", "service", KIND_COUNT},
	    {"apps/v1", "Service", KIND_COUNT},
	    {"/v1", "Service", KIND_SERVICE},
	    {"", "", KIND_COUNT},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum kind kind = KIND_COUNT;
		const struct kind_info *info = kind_find(rows[i].api_version, rows[i].kind, &kind);
		ck_assert_msg((int)kind == rows[i].want, "%s %s: %d", rows[i].api_version, rows[i].kind, (int)kind);
		ck_assert_ptr_eq(info, rows[i].want == KIND_COUNT ? NULL : &kinds[rows[i].want]);
	}
}
END_TEST

START_TEST(test_rows_are_whole)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind_info *info = &kinds[i];
		ck_assert_ptr_nonnull(info->kind);
		ck_assert_ptr_nonnull(info->plural);
		ck_assert_ptr_nonnull(info->group);
		ck_assert_ptr_nonnull(info->versions[0]);
		ck_assert_ptr_nonnull(info->message);
		/* whole objects keep their metadata in a field; specs are closed, so that a typing error is seen */
		const ProtobufCFieldDescriptor *metadata =
		    protobuf_c_message_descriptor_get_field_by_name(info->message, "metadata");
		bool is_whole = metadata && metadata->descriptor == k8s_object_meta_type();
		ck_assert_int_eq(is_whole, info->spec_field == NULL);
		ck_assert_int_eq(info->crd != NULL, info->spec_field != NULL);
		ck_assert_int_eq(info->is_open, info->spec_field == NULL);
		for (size_t j = 0; j < i; j++)
			ck_assert_msg(strcmp(info->plural, kinds[j].plural) != 0, "%s twice", info->plural);
	}
}
END_TEST

/* What a definition may say: its storage version is served, its columns are whole. */
START_TEST(test_definitions_are_whole)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind_crd *crd = kinds[i].crd;
		if (!crd)
			continue;
		bool is_served = !crd->storage_version;
		for (size_t j = 0; j < 4 && kinds[i].versions[j]; j++)
			is_served |= crd->storage_version && strcmp(kinds[i].versions[j], crd->storage_version) == 0;
		ck_assert_msg(is_served, "%s", kinds[i].kind);
		ck_assert_ptr_nonnull(crd->categories[0]);
		ck_assert(kind_is_known_group(arena_printf(arena, "%s/v1", kinds[i].group)));
		for (size_t j = 0; j < 4 && crd->columns[j].name; j++) {
			ck_assert_int_eq(crd->columns[j].path[0], '.');
			ck_assert_ptr_nonnull(crd->columns[j].help);
		}
	}
}
END_TEST

START_TEST(test_known_groups)
{
	ck_assert(kind_is_known_group("networking.istio.io/v1alpha3"));
	ck_assert(kind_is_known_group("security.istio.io/v9"));
	ck_assert(kind_is_known_group("gateway.networking.k8s.io/v1"));
	ck_assert(!kind_is_known_group("networking.k8s.io/v1"));
	ck_assert(!kind_is_known_group("apps/v1"));
	ck_assert(!kind_is_known_group("v1"));
	ck_assert(!kind_is_known_group("networking.istio.io.evil/v1"));
}
END_TEST

UNIT_MAIN("kinds", test_find, test_rows_are_whole, test_definitions_are_whole, test_known_groups)
