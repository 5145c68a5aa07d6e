/* The floor of starting a process: vfork (or fork), execve, waitpid, one after the other.
 *
 * Arguments: `vfork` or `fork`, lives, lives before that to warm up, MiB to touch first, the program to execute.
 * Writes one number a line, all in nanoseconds: processor time of this process and its children, wall time, then the
 * wall time of each life.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned long long clock_nanos(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static unsigned long long cpu_nanos(void)
{
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return clock_nanos(CLOCK_PROCESS_CPUTIME_ID)
        + (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000ULL
        + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000ULL;
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    int is_vfork = strcmp(argv[1], "vfork") == 0;
    long lives = atol(argv[2]), warmup = atol(argv[3]), mib = atol(argv[4]);
    char *arguments[] = { argv[5], NULL };
    char *environment[] = { NULL };
    unsigned long long *nanos = calloc(lives + 1, sizeof *nanos);
    if (nanos == NULL)
        return 1;
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    if (mib > 0) {
        volatile char *ballast = malloc(mib << 20);
        if (ballast == NULL)
            return 1;
        for (size_t at = 0; at < (size_t)mib << 20; at += 4096)
            ballast[at] = 1;
    }
    prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
    unsigned long long cpu = cpu_nanos(), wall = clock_nanos(CLOCK_MONOTONIC);
    for (long life = -warmup; life < lives; life++) {
        if (life == 0) {
            cpu = cpu_nanos();
            wall = clock_nanos(CLOCK_MONOTONIC);
        }
        unsigned long long begun = clock_nanos(CLOCK_MONOTONIC);
        pid_t pid = is_vfork ? vfork() : fork();
        if (pid == 0) {
            execve(argv[5], arguments, environment);
            _exit(127);
        }
        int status;
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
            return 1;
        if (life >= 0)
            nanos[life] = clock_nanos(CLOCK_MONOTONIC) - begun;
    }
    wall = clock_nanos(CLOCK_MONOTONIC) - wall;
    printf("%llu\n%llu\n", cpu_nanos() - cpu, wall);
    for (long life = 0; life < lives; life++)
        printf("%llu\n", nanos[life]);
    return 0;
}
