#include "base/yaml.h"

#include "base/yaml_build.h"

#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* One document's text: from its directives or `---` line up to the next `---` line, or to the end of its `...` line. */
struct chunk {
	const char *s;
	size_t n;
	uint32_t line;         /* of s */
	uint32_t content_line; /* the first that is not blank, a comment or a marker; 0: there is none */
	bool has_marker, has_directive;
	bool has_tag_directive;
};

struct line {
	const char *s; /* past a byte order mark */
	size_t n;      /* without the line break */
	size_t next;   /* offset of the next line in the file */
};

/* Breaks are LF, CR LF and CR, as libyaml counts them. */
static struct line line_at(const struct yaml_reader *reader, size_t at)
{
	const char *s = reader->s + at;
	size_t left = reader->n - at, n = 0;
	while (n < left && s[n] != '\n' && s[n] != '\r')
		n++;
	size_t next = n;
	if (next < left && s[next] == '\r')
		next++;
	if (next < left && s[next] == '\n')
		next++;
	size_t mark = n >= 3 && memcmp(s, BYTE_ORDER_MARK, 3) == 0 ? 3 : 0;
	return (struct line){.s = s + mark, .n = n - mark, .next = at + next};
}

static bool is_marker(const struct line *line, const char *marker)
{
	return line->n >= 3 && memcmp(line->s, marker, 3) == 0 &&
	       (line->n == 3 || line->s[3] == ' ' || line->s[3] == '\t');
}

static bool has_content(const struct line *line, size_t from)
{
	while (from < line->n && (line->s[from] == ' ' || line->s[from] == '\t'))
		from++;
	return from < line->n && line->s[from] != '#';
}

static bool is_directive(const struct line *line, const char *name)
{
	size_t n = strlen(name);
	return line->n >= n && memcmp(line->s, name, n) == 0;
}

/* Takes in one line; false: it begins the next document. */
static bool chunk_add(struct chunk *chunk, const struct line *line, uint32_t number)
{
	bool is_begun = chunk->has_marker || chunk->content_line;
	if (is_marker(line, "---")) {
		if (is_begun)
			return false;
		chunk->has_marker = true;
		if (has_content(line, 3))
			chunk->content_line = number;
	} else if (!is_begun && is_directive(line, "%")) {
		chunk->has_directive = true;
		chunk->has_tag_directive |= is_directive(line, "%TAG");
	} else if (!chunk->content_line && has_content(line, 0)) {
		chunk->content_line = number;
	}
	return true;
}

static struct chunk next_chunk(struct yaml_reader *reader)
{
	struct chunk chunk = {.s = reader->s + reader->at, .line = reader->line};
	while (reader->at < reader->n) {
		struct line line = line_at(reader, reader->at);
		bool is_end = is_marker(&line, "...");
		if (!is_end && !chunk_add(&chunk, &line, reader->line))
			break;
		reader->at = line.next;
		reader->line++;
		if (!is_end)
			continue;
		if (!chunk.content_line && has_content(&line, 3))
			chunk.content_line = reader->line - 1; /* words after it: let libyaml complain */
		if (chunk.has_marker || chunk.content_line || chunk.has_directive)
			break;
		chunk.s = reader->s + reader->at; /* it ended nothing */
		chunk.line = reader->line;
	}
	chunk.n = (size_t)(reader->s + reader->at - chunk.s);
	if (chunk.has_directive && !chunk.has_marker && !chunk.content_line)
		chunk.content_line = chunk.line; /* directives of nothing: let libyaml complain */
	return chunk;
}

/* The line of the first byte that is not allowed in text. */
static uint32_t bad_line(const struct chunk *chunk)
{
	struct yaml_reader reader = {.s = chunk->s, .n = chunk->n};
	uint32_t number = chunk->line;
	for (struct line line = line_at(&reader, 0); line.next < chunk->n && text_is_utf8(line.s, line.n); number++)
		line = line_at(&reader, line.next);
	return number;
}

static bool read_chunk(const struct chunk *chunk, struct arena *arena, struct yaml_document *document)
{
	struct error *error = &document->error;
	if (chunk->n > JSON_BYTES_MAX)
		return error_set(error, "line %u, column 1: the document has %zu bytes, at most %u are allowed",
		                 chunk->content_line, chunk->n, JSON_BYTES_MAX);
	if (chunk->has_tag_directive)
		return error_set(error, "line %u, column 1: %%TAG is not supported", chunk->line);
	if (!text_is_utf8(chunk->s, chunk->n))
		return error_set(error, "line %u, column 1: the line is not UTF-8, or has a NUL in it",
		                 bad_line(chunk));
	return yaml_build(arena, chunk->s, chunk->n, chunk->line, &document->value, error);
}

void yaml_reader_init(struct yaml_reader *reader, const char *s, size_t n)
{
	*reader = (struct yaml_reader){.s = s, .n = n, .line = 1};
}

bool yaml_reader_next(struct yaml_reader *reader, struct arena *arena, struct yaml_document *document)
{
	document->value = NULL;
	document->line = 1;
	if (reader->n > YAML_BYTES_MAX && reader->at < reader->n) {
		reader->at = reader->n;
		error_set(&document->error, "line 1, column 1: the file has %zu bytes, at most %u are allowed",
		          reader->n, YAML_BYTES_MAX);
		return true;
	}
	while (reader->at < reader->n) {
		struct chunk chunk = next_chunk(reader);
		if (!chunk.content_line)
			continue;
		document->line = chunk.content_line;
		bool is_good = read_chunk(&chunk, arena, document);
		if (!is_good || (document->value && document->value->type != JSON_NULL))
			return true;
		document->value = NULL; /* nothing but null: as good as empty */
	}
	return false;
}
