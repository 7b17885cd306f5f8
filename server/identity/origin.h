#pragma once
/*
 * Where the authority comes from, in this order, as with Istio:
 *
 *     a folder that somebody plugged in (--ca-dir)
 *     the Secret `cacerts` in the root namespace
 *     one that is self-signed and kept: in the Secret `istio-ca-secret`, or in --state-dir
 *
 * What is not there (ABSENT) is not what is wrong (BAD): from a broken plugged-in set nothing falls back to a
 * self-signed root, and once a place has had an authority, its being gone is wrong too. While it is not known what the
 * API server has, nothing is decided.
 *
 *     switch (origin_look(origin, &input, &found, &error)) …        now and then; cheap when nothing changed
 */
#include "server/identity/root_record.h"
#include "server/source/kube/kube_secret.h"

#define ORIGIN_RETRY_S 10 /* what was wrong is read again, changed or not: time may mend it */
#define ORIGIN_CA_DIR "/etc/cacerts"
#define ORIGIN_PLUGGED_SECRET "cacerts"
#define ORIGIN_OWN_SECRET "istio-ca-secret"

enum origin_place { ORIGIN_NOWHERE, ORIGIN_FOLDER, ORIGIN_SECRET, ORIGIN_OWN_IN_SECRET, ORIGIN_OWN_IN_FOLDER };

const char *origin_place_name(enum origin_place place);

struct origin_options {
	const char *ca_dir;       /* NULL: none */
	bool is_ca_dir_asked_for; /* its absence is an error */
	const char *state_dir;    /* NULL: none */
	bool is_kube;             /* Secrets come with the input */
	const char *root_namespace;
	const struct clock *clock;
};

struct origin_input {
	const char *trust_domain;
	struct kube_secret *plugged, *own;   /* borrowed; NULL: not known yet */
	const char *plugged_note, *own_note; /* why not; "" else */
};

/* What there is now. origin_found_done lets go of whatever was not taken out (and set to NULL). */
struct origin_found {
	enum origin_place place;
	char where[512]; /* for people: the folder, or "Secret istio-system/cacerts" */
	struct authority *authority;
	struct bundle *also;             /* trusted besides, in a rotation; NULL: none */
	struct root_record record;       /* of a self-signed one */
	char version[64];                /* of the Secret that has it */
	struct kube_secret_write *write; /* the Secret that is to be made */
};

void origin_found_done(struct origin_found *found);

enum origin_outcome {
	ORIGIN_SAME,    /* nothing changed since the last look */
	ORIGIN_NEW,     /* found has an authority */
	ORIGIN_BAD,     /* something is wrong there; the former one goes on. error */
	ORIGIN_STILL,   /* wrong as at the last look, and not read again */
	ORIGIN_WAITING, /* it is not known yet. error says what is waited for; found may have a write */
	ORIGIN_NONE,    /* there is no place for one */
};

struct origin;

struct origin *origin_new(const struct origin_options *options);
void origin_free(struct origin *origin); /* NULL is fine */
/* found: zeroed. */
enum origin_outcome origin_look(struct origin *origin, const struct origin_input *input, struct origin_found *found,
                                struct error *error);
/* The next look reads what is there, changed or not. */
void origin_look_again(struct origin *origin);
/* Keeps the record where it is kept, following found's version. In a Secret: *write is what is to be written. */
bool origin_keep(struct origin *origin, const struct origin_found *found, const struct root_record *record,
                 struct kube_secret_write **write, struct error *error);
