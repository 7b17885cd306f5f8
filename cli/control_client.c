#include "cli/control_client.h"

#include "base/heap.h"

#include <curl/curl.h>
#include <string.h>

static size_t on_body(char *s, size_t size, size_t n, void *context)
{
	struct text *out = context;
	if (out->n + size * n > CONTROL_CLIENT_BYTES_MAX)
		return 0;
	text_add_n(out, s, size * n);
	return size * n;
}

static bool check(CURL *curl, CURLcode code, const char *socket, struct text *out, struct error *error)
{
	long status = 0;

	if (code == CURLE_COULDNT_CONNECT)
		return error_set(error,
		                 "%s: no weftd answers there; is it running, may you open the socket, and is it this "
		                 "one (--control-socket)?",
		                 socket);
	if (code != CURLE_OK)
		return error_set(error, "%s: %s", socket, curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		return true;
	while (out->n && out->s[out->n - 1] == '\n')
		out->s[--out->n] = '\0';
	return error_set(error, "%s", text_get(out));
}

bool control_client_ask(const char *socket, bool is_post, const char *target, struct text *out, struct error *error)
{
	CLEANUP(text_done) struct text url = {0};
	CURL *curl = curl_easy_init();

	if (!curl)
		heap_fail(0);
	text_printf(&url, "http://localhost%s", target);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
	curl_easy_setopt(curl, CURLOPT_URL, url.s);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)CONTROL_CLIENT_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	if (is_post)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
	bool is_good = check(curl, curl_easy_perform(curl), socket, out, error);
	curl_easy_cleanup(curl);
	return is_good;
}
