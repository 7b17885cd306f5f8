#include "crds/close.h"

#include "base/text.h"
#include "crds/check.h"

#include <string.h>

/* Whether the place is the path's, or in it. */
static bool is_about(const char *place, const char *path)
{
	for (; *path; path++) {
		if (*place != *path)
			return false;
		place++;
		if (*path == '[')
			place += strspn(place, "0123456789");
	}
	return *place == '\0' || *place == '.' || *place == '[';
}

bool close_is_only_about(const struct close *close, const char *const *paths, size_t n)
{
	for (size_t i = 0; i < close->issues->n; i++) {
		const struct codec_issue *issue = &close->issues->v[i];
		bool is_known = issue->is_warning;
		for (size_t j = 0; j < n && !is_known; j++)
			is_known = issue->path && is_about(issue->path, paths[j]);
		if (!is_known)
			return false;
	}
	return true;
}

void close_selector(istio_type_workload_selector *selector)
{
	size_t n = 0;
	for (size_t i = 0; selector && i < selector->n_match_labels; i++)
		if (check_can_select(selector->match_labels[i]->key, selector->match_labels[i]->value))
			selector->match_labels[n++] = selector->match_labels[i];
	if (selector)
		selector->n_match_labels = n;
}

void close_targets(const struct close_targets *targets)
{
	int n_given = (*targets->selector != NULL) + (*targets->target_ref != NULL) + (*targets->n_target_refs > 0);
	bool is_sound = n_given <= 1 && (!*targets->target_ref || check_is_policy_target(*targets->target_ref));
	for (size_t i = 0; i < *targets->n_target_refs; i++)
		is_sound &= check_is_policy_target(targets->target_refs[i]);
	if (!is_sound) {
		*targets->selector = NULL;
		*targets->target_ref = NULL;
		*targets->n_target_refs = 0;
	}
	close_selector(*targets->selector);
}
