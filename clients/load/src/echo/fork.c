/* The floor of a process for each connection: accept, fork, echo until the client ends, exit.
 *
 * Writes its port to standard output; and at SIGUSR1 the processor time of the children it has reaped, in nanoseconds,
 * all that have ended included. Each is a number of eight bytes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(uint64_t number)
{
    if (write(1, &number, sizeof number) != sizeof number)
        _exit(1);
}

static void reap(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

static void say_reaped(int signal)
{
    (void)signal;
    int before = errno;
    struct rusage usage;
    reap();
    getrusage(RUSAGE_CHILDREN, &usage);
    say((usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000ULL
        + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000ULL);
    errno = before;
}

static void echo(int connection)
{
    char buffer[4096];
    ssize_t length;
    while ((length = read(connection, buffer, sizeof buffer)) > 0)
        for (ssize_t done = 0, now; done < length; done += now)
            if ((now = write(connection, buffer + done, length - done)) <= 0)
                return;
}

int main(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sigaction action = { .sa_handler = say_reaped, .sa_flags = SA_RESTART };
    if (sigaction(SIGUSR1, &action, NULL) != 0
        || bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 1024) != 0
        || getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        return 1;
    say(ntohs(address.sin_port));
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0)
            continue;
        if (fork() == 0) {
            close(listener);
            echo(connection);
            _exit(0);
        }
        close(connection);
        reap();
    }
}
