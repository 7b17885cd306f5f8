#pragma once
/*
 * Where an authority lives on disk. Two kinds of folder:
 *
 * Plugged in by an administrator (a mounted Secret `cacerts`): ca-cert.pem, ca-key.pem, root-cert.pem and, where
 * there is something between, cert-chain.pem; or tls.crt, tls.key and ca.crt, which come first where there is a
 * tls.crt, as with Istio. Only read, all of it from one version however often the volume is swapped meanwhile.
 *
 *     switch (keystore_read(path, clock, &authority, &stamp, &error)) {
 *     case KEYSTORE_GOOD: …       authority is the caller's
 *     case KEYSTORE_ABSENT: …     nobody plugged anything in; error says what was looked for
 *     case KEYSTORE_BAD: …        somebody did, and error says what is wrong; the former authority may go on
 *     }
 *     if (!digest_equal(stamp, keystore_stamp(path))) …       now and then: there is something new to read
 *
 * Self-signed: ca-cert.pem and ca-key.pem in a folder of our own, made once.
 *
 *     struct authority *authority = keystore_keep(path, &plan, clock, &error);
 *
 * What is there is never replaced or repaired by guessing: another root would cut off every proxy.
 *
 * Errors begin with the file (or folder) that is wrong, say what to do, and never have any bytes of a key.
 */
#include "ca/authority.h"

#define KEYSTORE_TRIES 8 /* readings, when each was overtaken by a change */

/* The two ways to name the files of a set; a tls.crt decides for the first, as with Istio. NULL where it has none. */
enum keystore_part { KEYSTORE_CERT, KEYSTORE_KEY, KEYSTORE_CHAIN, KEYSTORE_ROOT, KEYSTORE_PARTS };
#define KEYSTORE_NAMINGS 2
extern const char *const keystore_namings[KEYSTORE_NAMINGS][KEYSTORE_PARTS];

enum keystore_outcome { KEYSTORE_ABSENT, KEYSTORE_GOOD, KEYSTORE_BAD };

/*
 * *authority is NULL unless GOOD. *stamp is of what was read, whatever came of it: so what is bad need not be read
 * again before it changes, unless time can mend it (a certificate that is not valid yet). error is set unless GOOD.
 */
enum keystore_outcome keystore_read(const char *path, const struct clock *clock, struct authority **authority,
                                    struct digest *stamp, struct error *error);
/* Cheap: no file is opened. Differs when any of the files was written, replaced, came, went, or changed its mode. */
struct digest keystore_stamp(const char *path);

/*
 * The authority that is kept there, made by the plan when there is none (the folder also, with mode 0700; its parent
 * exists). Of several processes that do so at once one makes it and all return the same; the others wait for it. A
 * crash at any point leaves none or a whole one. The key's file is for its owner alone (0600); one that everybody may
 * read is refused, one that a group may read is not (volumes with an fsGroup are so).
 *
 * NULL with an error for all else: one file without the other, damaged, expired. Whoever restored or removed the files
 * may call again.
 */
struct authority *keystore_keep(const char *path, const struct authority_plan *plan, const struct clock *clock,
                                struct error *error);
