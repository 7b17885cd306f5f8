#include "cli/output.h"

#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int output_write(const struct text *text)
{
	if (fwrite(text_get(text), 1, text->n, stdout) == text->n && fflush(stdout) == 0)
		return COMMAND_DONE;
	fprintf(stderr, "weft: writing the output: %s\n", strerror(errno));
	return COMMAND_FAILED;
}
