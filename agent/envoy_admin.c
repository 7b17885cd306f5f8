#include "agent/envoy_admin.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

struct answer {
	struct text body;
	long status;
};

void envoy_admin_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t on_data(char *data, size_t size, size_t n, void *context)
{
	struct text *body = context;
	if (body->n + size * n > ENVOY_ADMIN_ANSWER_MAX)
		return 0;
	text_add_n(body, data, size * n);
	return size * n;
}

static void set_options(CURL *curl, const char *url, bool is_post, struct answer *answer)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)ENVOY_ADMIN_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer->body);
	if (is_post)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
}

static bool ask(const char *address, const char *path, bool is_post, struct answer *answer, struct error *error)
{
	CLEANUP(text_done) struct text url = {0};
	CURL *curl = curl_easy_init();
	if (!curl)
		return error_set(error, "Envoy's admin interface cannot be asked: out of memory");
	text_printf(&url, "http://%s%s", address, path);
	set_options(curl, url.s, is_post, answer);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
	curl_easy_cleanup(curl);
	return code == CURLE_OK ||
	       error_set(error, "Envoy's admin interface at %s does not answer: %s", address, curl_easy_strerror(code));
}

static bool ask_well(const char *address, const char *path, bool is_post, struct text *body, struct error *error)
{
	struct answer answer = {0};
	bool is_good = ask(address, path, is_post, &answer, error);
	if (is_good && answer.status != 200)
		is_good =
		    error_set(error, "Envoy answers %s with %ld: %.200s", path, answer.status, text_get(&answer.body));
	*body = answer.body;
	return is_good;
}

bool envoy_admin_is_ready(const char *address, struct error *error)
{
	struct answer answer = {0};
	bool is_good = ask(address, "/ready", false, &answer, error);
	if (is_good && answer.status != 200)
		is_good = error_set(error, "Envoy is not ready: %.*s", (int)strcspn(text_get(&answer.body), "\r\n"),
		                    text_get(&answer.body));
	text_done(&answer.body);
	return is_good;
}

bool envoy_admin_drain(const char *address, struct error *error)
{
	struct text body = {0};
	bool is_good = ask_well(address, "/drain_listeners?graceful&skip_exit", true, &body, error);
	text_done(&body);
	return is_good;
}

uint64_t envoy_admin_sum(const char *stats)
{
	static const char *const others[] = {"http.admin.", "http.stats.", "listener.admin."};
	uint64_t sum = 0;
	while (*stats) {
		size_t n = strcspn(stats, "\n");
		const char *colon = memchr(stats, ':', n);
		bool is_other = false;
		for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
			is_other |= text_has_prefix(stats, others[i]);
		if (colon && !is_other)
			sum += strtoull(colon + 1, NULL, 10);
		stats += n + (stats[n] == '\n');
	}
	return sum;
}

bool envoy_admin_connections(const char *address, uint64_t *n, struct error *error)
{
	struct text body = {0};
	bool is_good = ask_well(address, "/stats?filter=^(http|tcp)\\..*\\.downstream_cx_active$", false, &body, error);
	if (is_good)
		*n = envoy_admin_sum(text_get(&body));
	text_done(&body);
	return is_good;
}
