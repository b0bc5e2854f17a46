#include "tests/support/redis_server.h"
#include "tests/ledger/cmocka_all.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_MS = 20000, LOOK_MS = 5, FIRST_PORT = 20000, PORTS = 12000 };

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static bool is_free(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return bound;
}

int redis_free_port(void)
{
    uint16_t draw;
    int port;
    do {
        assert_int_equal(getrandom(&draw, sizeof draw, 0), sizeof draw);
        port = FIRST_PORT + draw % PORTS;
    } while (!is_free(port));
    return port;
}

static bool takes_connections(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return connected;
}

static void run(const struct redis_server *server)
{
    char port[16], config[128];
    const char *argv[REDIS_SERVER_ARGS + 40];
    int n = 0;
    snprintf(port, sizeof port, "%d", server->port);
    snprintf(config, sizeof config, "%s/sentinel.conf", server->directory);
    const char *const common[] = {"--port", port, "--bind", "127.0.0.1", "--dir", server->directory};
    const char *const data[] = {"--appendonly",
                                "yes",
                                "--appendfsync",
                                "always",
                                "--save",
                                "",
                                "--maxmemory-policy",
                                "noeviction",
                                "--repl-diskless-sync-delay",
                                "0"};
    argv[n++] = "redis-server";
    if (server->sentinel) {
        argv[n++] = config;
        argv[n++] = "--sentinel";
    }
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        argv[n++] = common[i];
    for (size_t i = 0; !server->sentinel && i < sizeof data / sizeof *data; i++)
        argv[n++] = data[i];
    for (int i = 0; i < REDIS_SERVER_ARGS && server->args[i]; i++)
        argv[n++] = server->args[i];
    argv[n] = NULL;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that crashes leaves none behind */
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    closefrom(3); /* else a connection of the test's would live on in the server */
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

void redis_server_start(struct redis_server *server)
{
    if (!server->directory[0]) {
        snprintf(server->directory, sizeof server->directory, "/tmp/xd-redis-XXXXXX");
        assert_non_null(mkdtemp(server->directory));
    }
    if (server->port == 0) server->port = redis_free_port();
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) run(server);
    for (int waited = 0; !takes_connections(server->port); waited += LOOK_MS) {
        if (waited > READY_MS || waitpid(server->pid, NULL, WNOHANG) != 0)
            fail_msg("redis-server does not start on port %d", server->port);
        poll(NULL, 0, LOOK_MS);
    }
}

void redis_server_kill(struct redis_server *server)
{
    if (server->pid <= 0) return;
    kill(server->pid, SIGKILL);
    kill(server->pid, SIGCONT);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

void redis_server_remove(struct redis_server *server)
{
    char command[128];
    redis_server_kill(server);
    if (!server->directory[0]) return;
    snprintf(command, sizeof command, "rm -rf %s", server->directory);
    assert_int_equal(system(command), 0);
    server->directory[0] = '\0';
}

const char *redis_cli(const struct redis_server *server, const char *format, ...)
{
    static char answer[4096];
    char command[1024];
    va_list args;
    int len =
        snprintf(command, sizeof command, "redis-cli --no-auth-warning -h 127.0.0.1 -p %d ", server->port);
    va_start(args, format);
    vsnprintf(command + len, sizeof command - (size_t)len, format, args);
    va_end(args);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    size_t got = fread(answer, 1, sizeof answer - 1, pipe);
    pclose(pipe);
    answer[got] = '\0';
    answer[strcspn(answer, "\r\n")] = '\0';
    return answer;
}
