#pragma once
/*
 * Envoy's secrets by name, and the streams on which it hears of them (envoy.service.secret.v3, state of the world and
 * delta). No gRPC in here: sds_server.h stands below.
 *
 *     struct sds *sds = sds_new(&(struct sds_options){…});
 *     sds_put(sds, SDS_CERTIFICATE, secret);       and wake the transport
 *     struct transport_handler handler = sds_handler(sds);
 *
 * - A name that has no secret (yet) is not answered, so Envoy waits for it.
 * - A secret that Envoy refused is not sent again until there is another one.
 * - What Envoy has acknowledged is known by name: see sds_is_acknowledged.
 *
 * Any thread may call what is below the handler; callbacks come on the transport's thread, with no lock held.
 */
#include "agent/sds_secret.h"
#include "base/arena.h"
#include "rpc/transport.h"

#define SDS_NAMES_MAX 64  /* of one stream; further ones end it */
#define SDS_NAME_MAX 4096 /* bytes: names of files are names of secrets */
#define SDS_STREAMS_MAX 256
#define SDS_TABLE_MAX 1024 /* names at all */
#define SDS_REQUEST_MAX (64u << 10)

/* The methods, as the handler's `open` numbers them. */
enum sds_method { SDS_STREAM, SDS_DELTA, SDS_METHODS };
extern const char *const sds_methods[SDS_METHODS];

struct sds_options {
	void (*on_change)(
	    void *context); /* Envoy acknowledged something, or asked for a name that there is no secret for */
	void *context;
};

struct sds_stats {
	unsigned streams;
	uint64_t responses, acknowledgements, refusals;
};

struct sds_names {
	const char **v;
	size_t n;
};

struct sds;

struct sds *sds_new(const struct sds_options *options);
void sds_free(struct sds *sds); /* after the transport; NULL is fine */
struct transport_handler sds_handler(struct sds *sds);

/* The reference moves in; NULL: from now on there is none for those who ask anew. */
void sds_put(struct sds *sds, const char *name, struct sds_secret *secret);
/*
 * Whether all streams that subscribe to the name have acknowledged what there is under it now, and this has that
 * digest. Without any such stream: whether there never was one, for who comes later gets the newest.
 */
bool sds_is_acknowledged(struct sds *sds, const char *name, struct digest digest);
/* The names with that prefix which some stream subscribes to, in the arena. */
struct sds_names sds_subscribed(struct sds *sds, const char *prefix, struct arena *arena);
void sds_stats(struct sds *sds, struct sds_stats *stats);
