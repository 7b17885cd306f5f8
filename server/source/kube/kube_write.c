#include "server/source/kube/kube_private.h"

#include "base/heap.h"
#include "base/log.h"
#include "base/slot.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define RELEASE_MS 1000 /* for letting go of the lease at the end */

/* Unlike any other replica's, and unlike this one's own before a restart. */
struct kube_lease *kube_write_new_lease(const struct kube_source *source)
{
	char host[65] = "", identity[128];
	uint64_t number = 0;

	gethostname(host, sizeof host - 1);
	if (getrandom(&number, sizeof number, 0) != sizeof number)
		number = (uint64_t)clock_wall_ns(clock_system());
	snprintf(identity, sizeof identity, "%s_%016llx", host, (unsigned long long)number);
	return kube_lease_new(&(struct kube_lease_options){
	    .namespace = source->root_namespace,
	    .name = KUBE_LEASE_NAME,
	    .identity = identity,
	    .clock = clock_system(),
	    .seed = (unsigned)number,
	});
}

static void lease_on_end(void *context, const struct kube_response *response)
{
	struct kube_source *source = context;
	source->is_lease_under_way = false;
	kube_lease_ended(source->lease, response);
}

static void lease_start(struct kube_source *source, const struct kube_request *request)
{
	struct kube_request full = *request;
	struct error error;

	full.on_end = lease_on_end;
	full.context = source;
	source->is_lease_under_way = true;
	if (!kube_http_start(source->http, &full, &error))
		lease_on_end(source, &(struct kube_response){.error = error.message, .body = ""});
}

int64_t kube_write_lease(struct kube_source *source)
{
	int64_t at_ns;
	const struct kube_request *request = kube_lease_next(source->lease, &at_ns);
	bool is_leader = kube_lease_is_held(source->lease);

	if (request)
		lease_start(source, request);
	if (is_leader != source->is_leader) {
		log_info("kube", is_leader ? "this replica writes the objects' status"
		                           : "another replica may write the objects' status");
		kube_status_look_again(source->status);
	}
	source->is_leader = is_leader;
	return request ? INT64_MAX : at_ns;
}

struct write_call {
	struct kube_source *source;
	struct kube_write *write;
};

static void write_on_end(void *context, const struct kube_response *response)
{
	struct write_call *call = context;
	const char *note = kube_status_ended(call->source->status, call->write, response);
	if (note)
		log_warn("kube", "%s", note);
	free(call);
}

int64_t kube_write_status(struct kube_source *source)
{
	int64_t at_ns = INT64_MAX;
	uint64_t same_seq = source->same_seq; /* first: whatever report it goes on from is in the slot by now */
	struct kube_report *report = slot_take(source->reports);
	const struct kube_request *request;
	struct kube_write *write;
	struct error error;

	if (report)
		kube_status_set_report(source->status, report);
	kube_status_set_seq(source->status, same_seq);
	while (source->is_leader && (request = kube_status_next(source->status, &write, &at_ns))) {
		struct kube_request full = *request;
		struct write_call *call = HEAP_NEW(struct write_call);
		*call = (struct write_call){.source = source, .write = write};
		full.on_end = write_on_end;
		full.context = call;
		if (!kube_http_start(source->http, &full, &error))
			write_on_end(call,
			             &(struct kube_response){.error = error.message, .body = "", .retry_after_ms = -1});
	}
	return at_ns;
}

void kube_write_note_changes(struct kube_source *source)
{
	uint64_t changes = 0;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kube_watch_status *status = &source->stats.kinds[i].status;
		if (kinds[i].spec_field)
			changes += status->events + status->lists;
	}
	if (changes != source->changes_seen)
		kube_status_look_again(source->status);
	source->changes_seen = changes;
}

void kube_write_let_go(struct kube_source *source)
{
	int64_t until_ns = kube_now_ns() + RELEASE_MS * CLOCK_MS;
	const struct kube_request *request = kube_lease_release(source->lease);

	if (request)
		lease_start(source, request);
	while (source->is_lease_under_way && kube_now_ns() < until_ns)
		kube_http_poll(source->http, -1, 100);
}
