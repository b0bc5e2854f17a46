/* What the parts of one broker share: its ledger, engine and feeds, its sessions, and the memory that
 * handling a message borrows. server.c puts it together and takes it apart. */
#ifndef XD_BROKER_BROKER_H
#define XD_BROKER_BROKER_H

#include "broker/clock.h"
#include "program/settings.h"
#include "broker/transport.h"
#include "core/curve.h"
#include "core/ledger/ledger.h"
#include "core/log.h"
#include "core/mp.h"

struct event_base;
struct xd_cluster;
struct xd_feed;
struct xd_inquiries;
struct xd_owner;
struct xd_session;

/* Limits of the protocol that are not settings. */
enum {
    XD_FRAME_DEPTH = 16,
    XD_FRAME_ELEMENTS = 65536,
    XD_SUBMIT_ORDERS = 1000,
    XD_OUTSTANDING_MAX = 1024, /* requests without an answer, on a connection */
};

/* Marks of what waits to be written to a connection, and of what is kept for answers that are not ready.
 * Above the high one nothing is read from it, and no live event is added to what is to be written; below the
 * low one both go on. */
enum { XD_OUTPUT_HIGH = 1 << 20, XD_OUTPUT_LOW = 256 << 10 };

struct xd_broker {
    const struct xd_settings *settings;
    const struct xd_log *log;
    struct event_base *base;
    struct xd_transport transport;
    struct xd_clock clock;
    struct xd_ledger *ledger;
    struct xd_market market;
    struct xd_owner *owner; /* NULL in a cluster: matchers own the partitions */
    struct xd_cluster *cluster; /* NULL: one process does it all, with one partition */
    const struct xd_layout *layout; /* of the cluster */
    uint16_t partitions;
    struct xd_inquiries *inquiries;
    struct xd_feed *feed;

    bool owning;              /* the engine is there */
    enum xd_code owner_state; /* why not, where that is known */
    bool draining;
    bool congested; /* too much waits for the disk: nothing is read from any client */

    struct xd_session *sessions; /* all, the newest first */
    size_t session_count;
    size_t outstanding; /* requests without an answer, of all sessions */

    /* Called when a session has gone, and while draining when a request was answered. */
    void (*changed)(void *arg);
    void *changed_arg;

    /* Borrowed while one message is handled. */
    msgpack_zone zone;
    struct xd_buf scratch; /* the message that is being written */
    struct xd_buf record;  /* the ledger's record that is being written */
};

/* XD_OK, or why nothing can be submitted or asked at present. */
enum xd_code xd_broker_state(const struct xd_broker *broker);

/* To be called after an append, and after the result of one: stops reading from clients when more than half
 * of what may wait for the disk does, and goes on below a quarter. */
void xd_broker_appended(struct xd_broker *broker);
void xd_broker_stored(struct xd_broker *broker);

#endif
