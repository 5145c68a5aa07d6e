/* What each server design costs when it is nothing but the calls of its design.
 *
 * Arguments: the design, what is served (`echo` or `work`), the port of 127.0.0.1, how many workers.
 *
 * `echo` sends bytes back. `work` answers each line with one: `cpu <us>` computes, `block <ms>` and `sleep <ms>` put the
 * thread to sleep, `leak <KiB>` takes memory and keeps it. The computation is the one of palco's service of that name.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 256, EVENTS = 64, BACKLOG = 4096, FILES = 65536 };

/* What has come of the next line. */
struct state {
    size_t used;
    char line[LINE];
};

static int is_work, port, workers;
static uint64_t batch_ns;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t batch(uint64_t state)
{
    for (int step = 0; step < 1024; step++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        __asm__ volatile("" : "+r"(state));
    }
    return state;
}

static void calibrate(void)
{
    uint64_t state = 1, fastest = UINT64_MAX;
    for (int times = 0; times < 200; times++) {
        uint64_t begun = now_ns();
        state = batch(state);
        uint64_t took = now_ns() - begun;
        fastest = took < fastest ? took : fastest;
    }
    batch_ns = fastest < 100 ? 100 : fastest;
}

static void pause_ms(long ms)
{
    struct timespec rest = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&rest, NULL);
}

static int send_all(int socket, const char *bytes, size_t length)
{
    for (ssize_t sent; length > 0; bytes += sent, length -= (size_t)sent)
        if ((sent = send(socket, bytes, length, MSG_NOSIGNAL)) <= 0)
            return 0;
    return 1;
}

static int answer(int socket, const char *line)
{
    char verb[16] = "", said[LINE + 8];
    long amount = 0;
    if (sscanf(line, "%15s %ld", verb, &amount) < 1 || amount < 0)
        return send_all(socket, "error\n", 6);
    if (strcmp(verb, "cpu") == 0) {
        uint64_t state = 1, times = ((uint64_t)amount * 1000 + batch_ns - 1) / batch_ns;
        while (times-- > 0) {
            state = batch(state);
            (void)now_ns();
        }
    } else if (strcmp(verb, "block") == 0 || strcmp(verb, "sleep") == 0) {
        pause_ms(amount);
    } else if (strcmp(verb, "leak") == 0) {
        volatile char *memory = malloc((size_t)amount * 1024);
        for (long kib = 0; memory && kib < amount; kib += 4)
            memory[kib * 1024] = 1;
    } else {
        return send_all(socket, "error\n", 6);
    }
    int length = snprintf(said, sizeof said, "ok %s\n", line);
    return send_all(socket, said, (size_t)length);
}

/* Reads once and answers what is complete; 0 when the connection is over. */
static int turn(int socket, struct state *state)
{
    char bytes[4096];
    if (!is_work) {
        ssize_t length = recv(socket, bytes, sizeof bytes, 0);
        if (length < 0)
            return errno == EAGAIN;
        return length > 0 && send_all(socket, bytes, (size_t)length);
    }
    ssize_t length = recv(socket, state->line + state->used, LINE - 1 - state->used, 0);
    if (length < 0)
        return errno == EAGAIN;
    if (length == 0)
        return 0;
    state->used += (size_t)length;
    for (char *end; (end = memchr(state->line, '\n', state->used)) != NULL;) {
        *end = 0;
        if (!answer(socket, state->line))
            return 0;
        size_t taken = (size_t)(end + 1 - state->line);
        memmove(state->line, end + 1, state->used -= taken);
    }
    return state->used < LINE - 1;
}

static void no_delay(int socket)
{
    int yes = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

static void serve(int socket)
{
    struct state state = { 0 };
    no_delay(socket);
    while (turn(socket, &state))
        ;
    close(socket);
}

static int listener(int is_own)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int yes = 1, socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (is_own)
        setsockopt(socket_, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
    if (bind(socket_, (struct sockaddr *)&address, sizeof address) != 0 || listen(socket_, BACKLOG) != 0)
        die("listen");
    return socket_;
}

static int accepted(int from)
{
    int connection;
    while ((connection = accept4(from, NULL, NULL, SOCK_CLOEXEC)) < 0)
        if (errno != EINTR && errno != ECONNABORTED)
            die("accept");
    return connection;
}

static void *serve_thread(void *socket)
{
    serve((int)(intptr_t)socket);
    return NULL;
}

static void *accept_thread(void *from)
{
    for (;;)
        serve(accepted((int)(intptr_t)from));
    return NULL;
}

static void start(void *(*what)(void *), void *argument)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, what, argument) != 0)
        die("pthread_create");
    pthread_detach(thread);
}

/* One event loop; two of them share the listener. */
static void *loop(void *argument)
{
    static struct state *states[FILES];
    struct epoll_event events[EVENTS], event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
    int poll = epoll_create1(EPOLL_CLOEXEC), from = (int)(intptr_t)argument;
    event.data.fd = from;
    epoll_ctl(poll, EPOLL_CTL_ADD, from, &event);
    for (;;) {
        int count = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int socket = events[i].data.fd;
            if (socket == from) {
                int connection = accept4(from, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (connection < 0)
                    continue;
                if (connection >= FILES || !(states[connection] = calloc(1, sizeof(struct state))))
                    die("too many connections");
                no_delay(connection);
                struct epoll_event mine = { .events = EPOLLIN, .data.fd = connection };
                epoll_ctl(poll, EPOLL_CTL_ADD, connection, &mine);
            } else if (!turn(socket, states[socket])) {
                free(states[socket]);
                close(socket);
            }
        }
    }
    return NULL;
}

static pid_t child(void)
{
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

static void pass(int to, int socket)
{
    char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec part = { &byte, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                              .msg_controllen = sizeof control };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    *head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
                              .cmsg_len = CMSG_LEN(sizeof(int)) };
    memcpy(CMSG_DATA(head), &socket, sizeof socket);
    if (sendmsg(to, &message, MSG_NOSIGNAL) != 1)
        die("sendmsg");
    close(socket);
}

static int passed(int from)
{
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec part = { &byte, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                              .msg_controllen = sizeof control };
    int socket;
    if (recvmsg(from, &message, 0) != 1)
        exit(0);
    memcpy(&socket, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof socket);
    return socket;
}

/* Workers say when they are free, and get the next connection. */
static void dispatch(int from)
{
    int free_[2], pipes[workers][2];
    if (pipe(free_) != 0)
        die("pipe");
    for (int worker = 0; worker < workers; worker++) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pipes[worker]) != 0)
            die("socketpair");
        if (child() == 0)
            for (unsigned char me = (unsigned char)worker;;) {
                if (write(free_[1], &me, 1) != 1)
                    exit(0);
                serve(passed(pipes[worker][1]));
            }
    }
    for (unsigned char worker;;) {
        int connection = accepted(from);
        if (read(free_[0], &worker, 1) != 1)
            die("read");
        pass(pipes[worker][0], connection);
    }
}

static void exec_each(int from)
{
    for (;;) {
        int connection = accepted(from);
        pid_t pid = vfork();
        if (pid == 0) {
            dup2(connection, 0);
            dup2(connection, 1);
            execl("/bin/cat", "cat", (char *)NULL);
            _exit(1);
        }
        close(connection);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 1;
    const char *design = argv[1];
    is_work = strcmp(argv[2], "work") == 0;
    port = atoi(argv[3]);
    workers = atoi(argv[4]);
    calibrate();
    signal(SIGCHLD, SIG_IGN);
    if (strcmp(design, "own-sockets") == 0) {
        for (int worker = 0; worker < workers; worker++)
            if (child() == 0)
                for (int own = listener(1);;)
                    serve(accepted(own));
        for (;;)
            pause();
    }
    int from = listener(0);
    void *shared = (void *)(intptr_t)from;
    if (strcmp(design, "iterative") == 0)
        accept_thread(shared);
    if (strcmp(design, "thread") == 0)
        for (;;)
            start(serve_thread, (void *)(intptr_t)accepted(from));
    if (strcmp(design, "prethread") == 0)
        for (int worker = 1; worker < workers; worker++)
            start(accept_thread, shared);
    if (strcmp(design, "prethread") == 0)
        accept_thread(shared);
    if (strcmp(design, "epoll") == 0 || strcmp(design, "epoll-team") == 0) {
        if (fcntl(from, F_SETFL, O_NONBLOCK) != 0)
            die("fcntl");
        for (int more = 1; more < workers; more++)
            start(loop, shared);
        loop(shared);
    }
    if (strcmp(design, "fork") == 0)
        for (;;) {
            int connection = accepted(from);
            if (child() == 0) {
                close(from);
                serve(connection);
                exit(0);
            }
            close(connection);
        }
    if (strcmp(design, "prefork") == 0)
        for (int worker = 0;; worker++) {
            if (worker == workers)
                for (;;)
                    pause();
            if (child() == 0)
                accept_thread(shared);
        }
    if (strcmp(design, "dispatcher") == 0)
        dispatch(from);
    if (strcmp(design, "exec") == 0)
        exec_each(from);
    fprintf(stderr, "no design %s\n", design);
    return 1;
}
