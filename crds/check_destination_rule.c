#include "base/map.h"
#include "base/text.h"
#include "crds/check.h"

static void check_subset(struct check *check, const istio_subset *subset)
{
	check_subset_name(check, "name", subset->name);
	CHECK_LABELS(check, "labels", subset, labels);
	if (subset->traffic_policy) {
		check_enter(check, "trafficPolicy");
		check_traffic_policy(check, subset->traffic_policy);
		check_leave(check);
	}
}

static void check_subsets(struct check *check, const istio_destination_rule *rule)
{
	struct map names = {0};
	for (size_t i = 0; i < rule->n_subsets; i++) {
		istio_subset *subset = rule->subsets[i];
		check_enter_at(check, "subsets", i);
		if (map_put(check->arena, &names, subset->name, subset))
			check_error(check, "name", "subset \"%s\" is defined twice", subset->name);
		check_subset(check, subset);
		check_leave(check);
	}
}

static void check_selector(struct check *check, const istio_destination_rule *rule)
{
	const istio_type_workload_selector *selector = rule->workload_selector;
	if (!selector)
		return;
	check_enter(check, "workloadSelector");
	for (size_t i = 0; i < selector->n_match_labels; i++)
		check_selector_label(check, "matchLabels", selector->match_labels[i]->key,
		                     selector->match_labels[i]->value);
	if (selector->n_match_labels == 0)
		check_warn(check, NULL, "has no labels, so it selects every workload of the namespace");
	check_leave(check);
}

void check_destination_rule(struct check *check, const ProtobufCMessage *message)
{
	const istio_destination_rule *rule = (const istio_destination_rule *)message;
	check_wildcard_host(check, "host", rule->host);
	if (rule->traffic_policy) {
		check_enter(check, "trafficPolicy");
		check_traffic_policy(check, rule->traffic_policy);
		check_leave(check);
	}
	check_subsets(check, rule);
	struct check_export_to export_to = {
	    .values = rule->export_to,
	    .n = rule->n_export_to,
	    .is_local_only = rule->workload_selector != NULL,
	};
	check_export_to(check, &export_to);
	check_selector(check, rule);
}
