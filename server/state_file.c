#include "server/state_file.h"

#include "ca/keystore_draft.h"

#define MODE 0644

bool state_file_load(const char *folder, const char *name, struct text *out, bool *is_there, struct error *error)
{
	bool is_absent = false;
	CLEANUP(keystore_folder_done) struct keystore_folder opened = {.fd = -1};
	CLEANUP(keystore_file_done) struct keystore_file file = {0};

	if (is_there)
		*is_there = false;
	if (!keystore_folder_open(&opened, folder, &is_absent, error))
		return is_absent;
	if (!keystore_folder_read(&opened, name, &file, error))
		return false;
	if (is_there)
		*is_there = file.is_there;
	if (file.is_there)
		text_add_n(out, file.pem.s, file.pem.n);
	return true;
}

bool state_file_store(const char *folder, const char *name, const struct text *text, struct error *error)
{
	bool is_absent = false;
	CLEANUP(keystore_folder_done) struct keystore_folder opened = {.fd = -1};

	return keystore_folder_make(folder, error) && keystore_folder_open(&opened, folder, &is_absent, error) &&
	       keystore_replace(&opened, name, MODE, text->s, text->n, error);
}
