/* The floor of a team of processes: each of them accepts from the same socket and echoes until the client ends.
 *
 * Argument: how many. Writes its port to standard output, a number of eight bytes.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void echo(int connection)
{
    char buffer[4096];
    ssize_t length;
    while ((length = read(connection, buffer, sizeof buffer)) > 0)
        for (ssize_t done = 0, now; done < length; done += now)
            if ((now = write(connection, buffer + done, length - done)) <= 0)
                return;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (argc != 2 || bind(listener, (struct sockaddr *)&address, length) != 0
        || listen(listener, 1024) != 0
        || getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        return 1;
    for (int worker = 0; worker < atoi(argv[1]); worker++) {
        pid_t pid = fork();
        if (pid < 0)
            return 1;
        if (pid > 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            int connection = accept(listener, NULL, NULL);
            if (connection < 0)
                continue;
            echo(connection);
            close(connection);
        }
    }
    uint64_t port = ntohs(address.sin_port);
    if (write(1, &port, sizeof port) != sizeof port)
        return 1;
    for (;;)
        pause();
}
