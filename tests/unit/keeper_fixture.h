#pragma once
/*
 * A keeper with a folder for plugged-in files, one for its own, a clock that is moved by hand, and proxies that are
 * made up.
 */
#include "server/identity/keeper.h"
#include "tests/unit/keystore_dir.h"

struct fixture {
	struct config_dir dir;
	char ca[PATH_SIZE], state[PATH_SIZE];
	struct clock clock;
	struct signer_cell *cell;
	struct keeper *keeper;
	struct keeper_status status;
	unsigned n_serving, n_trusted;
	struct text trusted, chain;
	struct rotation_view view;
};

static inline void on_serving(void *context, const struct serving_files *files)
{
	struct fixture *fixture = context;
	fixture->n_serving++;
	fixture->chain.n = 0;
	text_add(&fixture->chain, files->chain);
}

static inline void on_trusted(void *context, const char *pem, size_t n)
{
	struct fixture *fixture = context;
	fixture->n_trusted++;
	fixture->trusted.n = 0;
	text_add_n(&fixture->trusted, pem, n);
}

static inline void look(void *context, const struct signer *signer, struct rotation_view *view)
{
	const struct fixture *fixture = context;
	(void)signer;
	*view = fixture->view;
}

static inline void start(struct fixture *fixture, bool is_ca_dir_asked_for, bool has_state)
{
	static const char *const names[] = {"localhost", "weftd.istio-system.svc"};
	fixture->cell = signer_cell_new();
	fixture->keeper = keeper_new(&(struct keeper_options){
	    .origin = {.ca_dir = fixture->ca,
	               .is_ca_dir_asked_for = is_ca_dir_asked_for,
	               .state_dir = has_state ? fixture->state : NULL,
	               .root_namespace = "istio-system"},
	    .lifetime = {20, 100},
	    .dns = names,
	    .n_dns = 2,
	    .cell = fixture->cell,
	    .clock = &fixture->clock,
	    .on_serving = on_serving,
	    .on_trusted = on_trusted,
	    .look = look,
	    .context = fixture,
	});
	keeper_set_trust_domain(fixture->keeper, "cluster.local");
}

static inline void stop(struct fixture *fixture)
{
	keeper_free(fixture->keeper);
	signer_cell_free(fixture->cell);
}

static inline void init(struct fixture *fixture)
{
	*fixture = (struct fixture){.clock = clock_at(NOW_S)};
	fixture->clock.wall_ns = NOW_S * CLOCK_S;
	config_dir_init(&fixture->dir);
	copy_path(fixture->ca, path_in(fixture->dir.path, "ca"));
	copy_path(fixture->state, path_in(fixture->dir.path, "state"));
}

static inline void done(struct fixture *fixture)
{
	stop(fixture);
	text_done(&fixture->trusted);
	text_done(&fixture->chain);
	config_dir_done(&fixture->dir);
}

static inline void after(struct fixture *fixture, int64_t s)
{
	fixture->clock.now_ns += s * CLOCK_S;
	fixture->clock.wall_ns += s * CLOCK_S;
	keeper_move(fixture->keeper);
	keeper_status(fixture->keeper, &fixture->status);
}

static inline void plug_in(const struct fixture *fixture, const struct hierarchy *h)
{
	mkdir(fixture->ca, 0755);
	write_file(fixture->ca, "ca-cert.pem", h->cert.s, h->cert.n);
	write_file(fixture->ca, "ca-key.pem", h->key.s, h->key.n);
	write_file(fixture->ca, "cert-chain.pem", h->chain.s, h->chain.n);
	write_file(fixture->ca, "root-cert.pem", h->roots.s, h->roots.n);
}

static inline struct digest signs(struct fixture *fixture)
{
	CLEANUP(signer_unrefp) struct signer *signer = signer_cell_get(fixture->cell);
	return signer ? certificate_digest(authority_cert(signer->issuer.authority)) : (struct digest){{0}};
}

static inline size_t n_trusted(struct fixture *fixture)
{
	CLEANUP(signer_unrefp) struct signer *signer = signer_cell_get(fixture->cell);
	return signer ? bundle_size(signer->issuer.trusted) : 0;
}

static inline void command(struct fixture *fixture, enum keeper_command what)
{
	struct error error;
	ck_assert_msg(keeper_command(fixture->keeper, what, &error), "%s", error.message);
	after(fixture, 1);
	ck_assert_str_eq(fixture->status.note.message, "");
}

static inline void check_note(const struct fixture *fixture, const char *want)
{
	ck_assert_msg(strstr(fixture->status.note.message, want) != NULL, "want: %s\ngot: %s", want,
	              fixture->status.note.message);
}

/* The wall clock is set; the monotonic one goes on. */
static inline void set_clock(struct fixture *fixture, int64_t by_s)
{
	fixture->clock.wall_ns += by_s * CLOCK_S;
	after(fixture, 0);
}
