#pragma once
/*
 * The self-signed authority as it is kept, in a folder or a Secret, with what a rotation of its root needs: who signs,
 * and the other root that is trusted too. It is read from named entries and printed as such, whatever holds them:
 *
 *     ca-cert.pem, ca-key.pem                      who signs; Istio's names, so that its Secret is taken over as it is
 *     next-ca-cert.pem, next-ca-key.pem            PREPARED: who signs next
 *     former-ca-cert.pem, former-ca-key.pem        ACTIVE: who signed before, for going back
 *     rotation                                     {"phase":"prepared","since":1800000000,"skipUnaware":false}
 *
 * What is printed for the Secret says also root-cert.pem (all that are trusted), cert-chain.pem and key.pem (empty),
 * for whoever reads it as Istio's.
 */
#include "base/arena.h"
#include "ca/authority.h"

#define ROOT_ENTRY_ROTATION "rotation"
#define ROOT_ENTRIES_MAX 16

enum rotation_phase {
	ROTATION_IDLE,     /* one root, which signs */
	ROTATION_PREPARED, /* two are trusted, the old one signs */
	ROTATION_ACTIVE,   /* two are trusted, the new one signs */
};

const char *rotation_phase_name(enum rotation_phase phase);

struct root_record {
	enum rotation_phase phase;
	int64_t since_s;                   /* when the phase began; 0 while idle */
	bool is_skipping_unaware;          /* proxies that do not say what they trust hold nothing up */
	struct text cert, key;             /* who signs: one certificate, its own root */
	struct text other_cert, other_key; /* PREPARED: the next; ACTIVE: the former; else empty */
};

struct root_entry {
	const char *name;
	const char *s; /* NULL: it is to be gone */
	size_t n;
};

/* Zeroed is empty; wipes the keys. */
void root_record_done(struct root_record *record);
void root_record_copy(struct root_record *to, const struct root_record *from);
bool root_record_equal(const struct root_record *a, const struct root_record *b);
/* Entries with other names are passed over. The certificates are not looked into. Errors name the entry. */
bool root_record_read(struct root_record *record, const struct root_entry *entries, size_t n, struct error *error);
/* All entries, those that this phase does not have as NULL. Borrows from the record and the arena. */
size_t root_record_print(const struct root_record *record, struct arena *arena,
                         struct root_entry entries[ROOT_ENTRIES_MAX]);

/* Who signs, or who signs next or did before. `where` begins the names in errors. */
struct authority *root_record_signer(const struct root_record *record, const char *where, const struct clock *clock,
                                     struct error *error);
struct authority *root_record_other(const struct root_record *record, const char *where, const struct clock *clock,
                                    struct error *error);
/* A new root for the plan, as cert and key. */
bool root_record_draw(const struct authority_plan *plan, const struct clock *clock, struct text *cert, struct text *key,
                      struct error *error);
