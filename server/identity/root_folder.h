#pragma once
/*
 * The self-signed authority in a folder of our own. As long as nothing is rotated these are the two files of
 * keystore_keep. During a rotation the file rotation.json (mode 0600) has all of the record, written whole by a rename,
 * and what it says holds; at its end the two files are replaced and it goes, in this order, so that a crash at any
 * point leaves a record from which the next start goes on.
 */
#include "base/digest.h"
#include "server/identity/root_record.h"

#define ROOT_FOLDER_ROTATION "rotation.json"
#define ROOT_FOLDER_BYTES_MAX (256u << 10) /* of it */

/* What is kept there; made by the plan when there is nothing. Errors begin with the file. */
bool root_folder_read(const char *path, const struct authority_plan *plan, const struct clock *clock,
                      struct root_record *record, struct error *error);
bool root_folder_write(const char *path, const struct root_record *record, struct error *error);
/* Differs when there is something new to read. */
struct digest root_folder_stamp(const char *path);
