/*
 * Does the works of the speed table by libspf2 and libopendkim, in turns with the others:
 * see speed_test.go, and mail-auth/src/main.rs for what goes in and out.
 *
 * libspf2 has its answers from its own zone in memory, libopendkim its key from a callback.
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <opendkim/dkim.h>
#include <spf2/spf.h>
#include <spf2/spf_dns_zone.h>

struct work {
	char name[64];
	SPF_server_t *spf;
	char key[4096];
	unsigned char *message;
	long length;
};

static DKIM_LIB *library;
static struct work *current;

static void fail(const char *what) {
	fprintf(stderr, "%s\n", what);
	exit(1);
}

/* The answer for the key of the message, which is the only one. */
static DKIM_STAT key_of(DKIM *dkim, DKIM_SIGINFO *signature, unsigned char *buffer, size_t size) {
	(void)dkim, (void)signature;
	if (strlen(current->key) >= size)
		return DKIM_STAT_KEYFAIL;
	strcpy((char *)buffer, current->key);
	return DKIM_STAT_OK;
}

static void read_zone(struct work *w, const char *path) {
	FILE *f = fopen(path, "r");
	if (!f)
		fail(path);
	SPF_dns_server_t *zone = SPF_dns_zone_new(NULL, "zone", 0);
	char line[8192];
	while (fgets(line, sizeof line, f)) {
		char *name = strtok(line, "\t"), *kind = strtok(NULL, "\t"), *value = strtok(NULL, "\n");
		int type = !strcmp(kind, "TXT") ? ns_t_txt : !strcmp(kind, "A") ? ns_t_a : ns_t_mx;
		if (strstr(name, "._domainkey.")) {
			strcpy(w->key, value);
			continue;
		}
		if (type == ns_t_mx)
			value = strchr(value, ' ') + 1;
		if (SPF_dns_zone_add_str(zone, name, type, NETDB_SUCCESS, value))
			fail("zone");
	}
	fclose(f);
	w->spf = SPF_server_new_dns(zone, 0);
}

static void read_message(struct work *w, const char *path) {
	FILE *f = fopen(path, "rb");
	if (!f)
		return;
	fseek(f, 0, SEEK_END);
	w->length = ftell(f);
	rewind(f);
	w->message = malloc(w->length);
	if (fread(w->message, 1, w->length, f) != (size_t)w->length)
		fail(path);
	fclose(f);
}

static struct work *find(const char *folder, const char *name) {
	static struct work works[32];
	struct work *w = works;
	while (*w->name && strcmp(w->name, name))
		w++;
	if (!*w->name) {
		char path[1024];
		strcpy(w->name, name);
		snprintf(path, sizeof path, "%s/%s/zone", folder, name);
		read_zone(w, path);
		snprintf(path, sizeof path, "%s/%s/message", folder, name);
		read_message(w, path);
	}
	return w;
}

static void check_spf(struct work *w) {
	SPF_request_t *request = SPF_request_new(w->spf);
	SPF_response_t *response = NULL;
	SPF_request_set_ipv4_str(request, "192.0.2.1");
	SPF_request_set_helo_dom(request, "mail.shop.example");
	SPF_request_set_env_from(request, "bounces@shop.example");
	SPF_request_query_mailfrom(request, &response);
	if (SPF_response_result(response) != SPF_RESULT_PASS)
		fail("SPF does not pass");
	SPF_response_free(response);
	SPF_request_free(request);
}

static void check_dkim(struct work *w) {
	DKIM_STAT status;
	DKIM *dkim = dkim_verify(library, (unsigned char *)"id", NULL, &status);
	for (long at = 0; at < w->length && status == DKIM_STAT_OK;) {
		long n = w->length - at < 32768 ? w->length - at : 32768;
		status = dkim_chunk(dkim, w->message + at, n);
		at += n;
	}
	dkim_chunk(dkim, NULL, 0);
	if (status != DKIM_STAT_OK || dkim_eom(dkim, NULL) != DKIM_STAT_OK)
		fail("the signature does not pass");
	dkim_free(dkim);
}

int main(int argc, char **argv) {
	char name[64];
	long count;
	if (argc != 2)
		fail("a folder");
	library = dkim_init(NULL, NULL);
	dkim_set_key_lookup(library, key_of);
	while (scanf("%63s %ld", name, &count) == 2) {
		if (!strncmp(name, "all", 3)) { /* there is no DMARC here */
			puts("-");
			fflush(stdout);
			continue;
		}
		struct timespec start, end;
		current = find(argv[1], name);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
		for (long i = 0; i < count; i++)
			current->message ? check_dkim(current) : check_spf(current);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
		printf("%lld\n", (end.tv_sec - start.tv_sec) * 1000000000LL + end.tv_nsec - start.tv_nsec);
		fflush(stdout);
	}
}
