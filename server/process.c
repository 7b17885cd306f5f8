#include "server/process.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t resident_bytes(void)
{
	unsigned long long total, resident;
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file)
		return 0;
	int n = fscanf(file, "%llu %llu", &total, &resident);
	fclose(file);
	return n == 2 ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static uint64_t open_fds(void)
{
	uint64_t n = 0;
	DIR *folder = opendir("/proc/self/fd");
	if (!folder)
		return 0;
	while (readdir(folder))
		n++;
	closedir(folder);
	return n > 3 ? n - 3 : 0; /* ".", ".." and the folder itself */
}

static double timeval_s(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* The 22nd field of /proc/self/stat: clock ticks from boot to start. The 2nd, the name, may hold anything, ")" too. */
static double start_time_s(void)
{
	char line[1024];
	unsigned long long ticks = 0;
	FILE *file = fopen("/proc/self/stat", "re");
	if (!file)
		return 0;
	size_t n = fread(line, 1, sizeof line - 1, file);
	fclose(file);
	line[n] = '\0';
	const char *after = strrchr(line, ')');
	if (!after ||
	    sscanf(after + 1, " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
	           &ticks) != 1)
		return 0;
	struct timespec wall, boot;
	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	double booted_s = (double)(wall.tv_sec - boot.tv_sec) + (double)(wall.tv_nsec - boot.tv_nsec) / 1e9;
	return booted_s + (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

void process_usage(struct process_usage *usage)
{
	struct rusage resources;
	struct rlimit files;

	*usage = (struct process_usage){
	    .resident_bytes = resident_bytes(),
	    .open_fds = open_fds(),
	    .start_time_s = start_time_s(),
	};
	if (!getrusage(RUSAGE_SELF, &resources))
		usage->cpu_s = timeval_s(resources.ru_utime) + timeval_s(resources.ru_stime);
	if (!getrlimit(RLIMIT_NOFILE, &files))
		usage->max_fds = files.rlim_cur;
}

bool process_raise_file_limit(struct error *error)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return error_set_errno(error, errno, "reading the limit of open files");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files))
		return error_set_errno(error, errno, "raising the limit of open files");
	return true;
}

void process_trim_memory(void)
{
	malloc_trim(0);
}
