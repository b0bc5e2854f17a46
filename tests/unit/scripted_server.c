#include "scripted_server.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 256 << 20 };

static const struct xd_mp_limits limits = {.bytes = BUFFER, .depth = 30, .elements = 1 << 24};

static void need(bool done, const char *what)
{
    if (done) return;
    perror(what);
    abort();
}

/* --- a connection --------------------------------------------------------------------------------------- */

static void receive(struct peer *peer)
{
    enum { CHUNK = 65536 };
    need(xd_buf_reserve(&peer->in, CHUNK), "reserve");
    void *to = peer->in.data + peer->in.len;
    ssize_t n = peer->ssl ? SSL_read(peer->ssl, to, CHUNK) : recv(peer->fd, to, CHUNK, 0);
    if (n <= 0)
        peer->lost = true;
    else
        peer->in.len += (size_t)n;
}

msgpack_object peer_read(struct peer *peer)
{
    msgpack_object message = {.type = MSGPACK_OBJECT_NIL};
    for (;;) {
        struct xd_mp_walk walk = {.at = 0};
        enum xd_code code;
        if (xd_mp_walk(&walk, peer->in.data, peer->in.len, &limits, &code) == XD_MP_COMPLETE) {
            /* The zone keeps a copy, because the buffer moves on. */
            msgpack_zone_clear(peer->zone);
            char *bytes = msgpack_zone_malloc(peer->zone, walk.at);
            memcpy(bytes, peer->in.data, walk.at);
            msgpack_unpack(bytes, walk.at, NULL, peer->zone, &message);
            xd_buf_consume(&peer->in, walk.at);
            return message;
        }
        if (peer->lost) return message;
        receive(peer);
    }
}

bool peer_request(struct peer *peer, uint32_t *id, msgpack_object *params)
{
    msgpack_object message = peer_read(peer);
    if (message.type != MSGPACK_OBJECT_ARRAY || message.via.array.size != 4) return false;
    const msgpack_object *fields = message.via.array.ptr;
    *id = (uint32_t)fields[1].via.u64;
    *params = (msgpack_object){.type = MSGPACK_OBJECT_NIL};
    if (fields[3].via.array.size > 0) *params = fields[3].via.array.ptr[0];
    return true;
}

void peer_write(struct peer *peer, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0 && !peer->lost) {
        ssize_t n = peer->ssl ? SSL_write(peer->ssl, at, (int)len) : send(peer->fd, at, len, MSG_NOSIGNAL);
        if (n <= 0) {
            peer->lost = true;
            return;
        }
        at += n;
        len -= (size_t)n;
    }
}

void pack_result(struct xd_buf *out, uint32_t id, int64_t number)
{
    xd_mp_array(out, 4);
    xd_mp_int(out, 1);
    xd_mp_uint(out, id);
    xd_mp_nil(out);
    xd_mp_map(out, 1);
    xd_mp_cstr(out, "n");
    xd_mp_int(out, number);
}

void pack_refusal(struct xd_buf *out, uint32_t id, const char *code, const char *message, const char *field)
{
    xd_mp_array(out, 4);
    xd_mp_int(out, 1);
    xd_mp_uint(out, id);
    xd_mp_map(out, 3);
    xd_mp_cstr(out, "code");
    xd_mp_cstr(out, code);
    xd_mp_cstr(out, "message");
    xd_mp_cstr(out, message);
    xd_mp_cstr(out, "field");
    xd_mp_cstr(out, field);
    xd_mp_nil(out);
}

void pack_notification(struct xd_buf *out, const char *method, const char *code, int64_t number)
{
    xd_mp_array(out, 3);
    xd_mp_int(out, 2);
    xd_mp_cstr(out, method);
    xd_mp_array(out, 1);
    xd_mp_map(out, 3);
    xd_mp_cstr(out, "n");
    xd_mp_int(out, number);
    xd_mp_cstr(out, "code");
    xd_mp_cstr(out, code);
    xd_mp_cstr(out, "message");
    xd_mp_cstr(out, code);
}

bool peer_hello(struct peer *peer)
{
    uint32_t id;
    msgpack_object params;
    if (!peer_request(peer, &id, &params)) return false;
    struct xd_buf out;
    xd_buf_init(&out, 4096);
    pack_result(&out, id, 7);
    peer_write(peer, out.data, out.len);
    xd_buf_free(&out);
    return true;
}

/* --- the server ----------------------------------------------------------------------------------------- */

/* Closing with something unread would reset the connection, and the alert that says why could be lost. */
static void linger(int fd)
{
    char bytes[4096];
    shutdown(fd, SHUT_WR);
    while (recv(fd, bytes, sizeof bytes, 0) > 0)
        ;
}

static void serve(struct server *server, int fd)
{
    struct peer peer = {.fd = fd, .zone = msgpack_zone_new(65536)};
    xd_buf_init(&peer.in, BUFFER);
    if (server->tls) {
        peer.ssl = SSL_new(server->tls);
        need(peer.ssl && SSL_set_fd(peer.ssl, fd) == 1, "TLS");
        peer.lost = SSL_accept(peer.ssl) != 1;
    }
    if (peer.lost)
        linger(fd);
    else
        server->script(&peer);
    if (peer.ssl && !peer.lost) SSL_shutdown(peer.ssl);
    SSL_free(peer.ssl);
    msgpack_zone_free(peer.zone);
    xd_buf_free(&peer.in);
    close(fd);
}

static void *run(void *arg)
{
    struct server *server = arg;
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL); /* in this thread only: the library must not need it */
    for (int i = 0; i < server->connections; i++) {
        int fd = accept(server->listener, NULL, NULL);
        need(fd >= 0, "accept");
        serve(server, fd);
    }
    return NULL;
}

void server_start(struct server *server, script_fn *script, int connections, SSL_CTX *tls)
{
    *server = (struct server){.script = script, .connections = connections, .tls = tls};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    need(bind(server->listener, (struct sockaddr *)&address, len) == 0 && listen(server->listener, 8) == 0,
         "listen");
    getsockname(server->listener, (struct sockaddr *)&address, &len);
    snprintf(server->url, sizeof server->url, "%s://127.0.0.1:%d", tls ? "tls" : "tcp",
             ntohs(address.sin_port));
    need(pthread_create(&server->thread, NULL, run, server) == 0, "thread");
}

void server_join(struct server *server)
{
    pthread_join(server->thread, NULL);
    close(server->listener);
}
