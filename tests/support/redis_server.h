/* A real redis-server of a test's own: on a free loopback port, in a directory of its own, with an
 * append-only file. */
#ifndef XD_TESTS_SUPPORT_REDIS_SERVER_H
#define XD_TESTS_SUPPORT_REDIS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

enum { REDIS_SERVER_ARGS = 40 };

struct redis_server {
    pid_t pid;
    int port;
    char directory[64];
    bool sentinel;
    const char
        *args[REDIS_SERVER_ARGS]; /* more of the command line, up to a NULL; they win over the defaults */
};

/* A port that nobody listens on, and that the kernel gives to no connection: it is still free after a while
 * without its server. (Whoever tries to connect to a port of the kernel's own range may even get himself.) */
int redis_free_port(void);

/* Starts it (again: on the same port and directory, where there are) and waits until it takes connections.
 * Fails the test if it does not. */
void redis_server_start(struct redis_server *server);

/* SIGKILL, and waits until it has gone. */
void redis_server_kill(struct redis_server *server);

/* Kills it and removes its directory. */
void redis_server_remove(struct redis_server *server);

/* What redis-cli answers, up to its first newline; the arguments are split by the shell. In a static buffer.
 */
const char *redis_cli(const struct redis_server *server, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
