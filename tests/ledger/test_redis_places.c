/* The ledger wherever Redis is: over TLS, behind sentinels that name another master, in a cluster whose slots
 * move. */
#include "tests/ledger/cmocka_all.h"
#include "tests/ledger/many.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENTINELS = 3, NODES = 3 };

static void assert_stored(unsigned from, unsigned count, enum xd_durability reached)
{
    for (unsigned i = from; i < from + count; i++) {
        assert_int_equal(answers[i].result.code, XD_OK);
        assert_int_equal(answers[i].result.reached, reached);
    }
}

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *format, ...)
{
    char command[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    if (system(command) != 0) fail_msg("%s", command);
}

/* --- TLS ------------------------------------------------------------------------------------------------ */

/* A CA, and a certificate for 127.0.0.1, which serves both ends. */
static void make_certificates(const char *directory)
{
    run("cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca "
        "2>/dev/null &&"
        " openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=redis 2>/dev/null &&"
        " printf subjectAltName=IP:127.0.0.1 >extensions && openssl x509 -req -in request.pem -CA ca.pem "
        "-CAkey ca.key"
        " -CAcreateserial -days 2 -extfile extensions -out cert.pem 2>/dev/null",
        directory);
}

static void tls_with_certificates_and_an_acl_user(void **state)
{
    (void)state;
    struct rig rig;
    char ca[96], cert[96], key[96], port[16];
    rig_init(&rig, NULL);
    redis_server_kill(&rig.server);
    make_certificates(rig.server.directory);
    snprintf(ca, sizeof ca, "%s/ca.pem", rig.server.directory);
    snprintf(cert, sizeof cert, "%s/cert.pem", rig.server.directory);
    snprintf(key, sizeof key, "%s/key.pem", rig.server.directory);
    snprintf(port, sizeof port, "%d", rig.server.port);
    const char *const args[] = {"--port",
                                "0",
                                "--tls-port",
                                port,
                                "--tls-ca-cert-file",
                                ca,
                                "--tls-cert-file",
                                cert,
                                "--tls-key-file",
                                key,
                                "--user",
                                "app",
                                "on",
                                ">p@ss",
                                "~xd:*",
                                "+@all",
                                "--user",
                                "default",
                                "off"};
    memcpy(rig.server.args, args, sizeof args);
    redis_server_start(&rig.server);
    snprintf(rig.url, sizeof rig.url, "rediss://app:p%%40ss@127.0.0.1:%d", rig.server.port);
    rig.redis.timeout_ms = 2000; /* each that is refused tries for so long */

    struct xd_error error = {0};
    rig.redis.tls_ca = ca;
    assert_false(rig_open_ledger(&rig, &error)); /* Redis wants a certificate */
    rig.redis.tls_cert = cert;
    rig.redis.tls_key = key;
    rig.redis.tls_ca = NULL;
    assert_false(rig_open_ledger(&rig, &error)); /* a certificate of nobody whom we trust */
    assert_non_null(strstr(error.message, "certificate"));
    rig.redis.tls_ca = ca;
    snprintf(rig.url, sizeof rig.url, "rediss://app:wrong@127.0.0.1:%d", rig.server.port);
    assert_false(rig_open_ledger(&rig, &error));
    assert_non_null(strstr(error.message, "WRONGPASS"));

    snprintf(rig.url, sizeof rig.url, "rediss://app:p%%40ss@127.0.0.1:%d", rig.server.port);
    rig.redis.timeout_ms = 5000;
    rig_open(&rig);
    rig_own(&rig);
    append_many(&rig, 0, 500, 200);
    rig_wait_answers(&rig);
    assert_stored(0, 500, XD_DURABILITY_FSYNCED);
    check_whole(&rig, 500);
    rig_free(&rig);
}

/* --- sentinels ------------------------------------------------------------------------------------------ */

static void start_sentinel(struct redis_server *sentinel, int master_port)
{
    char path[96];
    sentinel->sentinel = true;
    snprintf(sentinel->directory, sizeof sentinel->directory, "/tmp/xd-redis-XXXXXX");
    assert_non_null(mkdtemp(sentinel->directory));
    snprintf(path, sizeof path, "%s/sentinel.conf", sentinel->directory);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fprintf(file,
            "sentinel monitor crossdock 127.0.0.1 %d 2\nsentinel down-after-milliseconds crossdock 400\n"
            "sentinel failover-timeout crossdock 2000\n",
            master_port);
    fclose(file);
    redis_server_start(sentinel);
}

static void wait_for(const struct redis_server *server, const char *command, const char *words)
{
    for (int i = 0; i < 600; i++) {
        if (strstr(redis_cli(server, "%s", command), words)) return;
        run("sleep 0.05");
    }
    fail_msg("%s never says %s", command, words);
}

static void a_failed_over_master_is_found_through_sentinels(void **state)
{
    (void)state;
    struct rig rig;
    struct redis_server replica = {.pid = 0}, sentinels[SENTINELS];
    char master_port[16];
    memset(sentinels, 0, sizeof sentinels);
    rig_init(&rig, NULL);
    snprintf(master_port, sizeof master_port, "%d", rig.server.port);
    const char *const args[] = {"--replicaof", "127.0.0.1", master_port};
    memcpy(replica.args, args, sizeof args);
    redis_server_start(&replica);
    for (int i = 0; i < SENTINELS; i++)
        start_sentinel(&sentinels[i], rig.server.port);
    wait_for(&rig.server, "info replication | grep connected_slaves", "connected_slaves:1");
    wait_for(&rig.server, "info replication | grep slave0", "state=online");
    for (int i = 0; i < SENTINELS; i++)
        wait_for(&sentinels[i], "info sentinel | grep master0", "slaves=1,sentinels=3");

    char url[128];
    snprintf(url, sizeof url, "redis-sentinel://127.0.0.1:1,127.0.0.1:%d,127.0.0.1:%d/crossdock",
             sentinels[0].port, sentinels[1].port); /* the first is none */
    rig.redis.url = url;
    rig.redis.durability = XD_DURABILITY_REPLICATED;
    rig.redis.replicas = 1;
    rig.redis.timeout_ms = 15000;
    rig_open(&rig);
    rig.own_again = true;
    rig_own(&rig);
    append_many(&rig, 0, 500, 200);
    rig_wait_answers(&rig);
    assert_stored(0, 500, XD_DURABILITY_REPLICATED);
    assert_string_equal(xd_durability_name(answers[0].result.reached), "replicated");

    redis_server_kill(&rig.server);
    append_many(&rig, 500, 1,
                200); /* waits for the new master, and may not be stored by it: its ref may be lost */
    rig_wait_answers(&rig);
    assert_int_equal(answers[500].result.code, XD_STORAGE_FAILED);
    append_many(&rig, 500, 500, 200);
    rig_wait_answers(&rig);
    assert_stored(500, 500, XD_DURABILITY_FSYNCED); /* by the new master, which has no replica */
    uint64_t events = strtoull(redis_cli(&replica, "hget 'xd:{p0}:state' events"), NULL, 10);
    assert_true(events > 1000 && rig.told < events);
    redis_server_start(&rig.server); /* sentinels make it one */
    rig_wait_events(&rig, events);
    check_whole(&rig, 1001);
    assert_string_equal(redis_cli(&replica, "role"), "master");
    assert_int_equal(xd_ledger_generation(rig.ledger, 0), 2); /* nobody can say that nothing is lost */
    rig_free(&rig);
    redis_server_remove(&replica);
    for (int i = 0; i < SENTINELS; i++)
        redis_server_remove(&sentinels[i]);
}

/* --- a cluster ------------------------------------------------------------------------------------------ */

static void start_node(struct redis_server *node, char bus[static 16])
{
    snprintf(bus, 16, "%d", redis_free_port());
    const char *const args[] = {"--cluster-enabled",      "yes", "--cluster-port", bus,
                                "--cluster-node-timeout", "2000"};
    memcpy(node->args, args, sizeof args);
    redis_server_start(node);
}

static void form_cluster(const struct redis_server nodes[static NODES], char bus[static NODES][16])
{
    static const char *const slots[NODES] = {"0 5460", "5461 10922", "10923 16383"};
    for (int i = 0; i < NODES; i++)
        assert_string_equal(redis_cli(&nodes[i], "cluster addslotsrange %s", slots[i]), "OK");
    for (int i = 1; i < NODES; i++)
        assert_string_equal(redis_cli(&nodes[i], "cluster meet 127.0.0.1 %d %s", nodes[0].port, bus[0]),
                            "OK");
    for (int i = 0; i < NODES; i++)
        wait_for(&nodes[i], "cluster info | grep cluster_state", "cluster_state:ok");
}

/* Moves the slot as redis-cli's reshard does, a key at a time, `between` being called after each. */
static void move_slot(const struct redis_server nodes[static NODES], int slot, int from, int to,
                      struct rig *rig)
{
    char ids[NODES][64], key[128];
    for (int i = 0; i < NODES; i++)
        snprintf(ids[i], sizeof ids[i], "%s", redis_cli(&nodes[i], "cluster myid"));
    assert_string_equal(redis_cli(&nodes[to], "cluster setslot %d importing %s", slot, ids[from]), "OK");
    assert_string_equal(redis_cli(&nodes[from], "cluster setslot %d migrating %s", slot, ids[to]), "OK");
    for (;;) {
        snprintf(key, sizeof key, "%s", redis_cli(&nodes[from], "cluster getkeysinslot %d 1", slot));
        if (!key[0]) break;
        redis_cli(&nodes[from], "migrate 127.0.0.1 %d '%s' 0 5000", nodes[to].port, key);
        for (int i = 0; i < 20; i++)
            rig_turn(rig, 2);
    }
    for (int i = 0; i < NODES; i++)
        assert_string_equal(redis_cli(&nodes[i], "cluster setslot %d node %s", slot, ids[to]), "OK");
}

static void a_slot_of_a_cluster_moves_under_load(void **state)
{
    (void)state;
    struct rig rig;
    struct redis_server nodes[NODES];
    char bus[NODES][16];
    memset(nodes, 0, sizeof nodes);
    rig_init(&rig, NULL);
    for (int i = 0; i < NODES; i++)
        start_node(&nodes[i], bus[i]);
    form_cluster(nodes, bus);
    snprintf(rig.url, sizeof rig.url, "redis://127.0.0.1:%d", nodes[0].port);
    rig.redis.partitions = 4;
    rig.redis.timeout_ms = 15000;
    rig_open(&rig);
    rig_own(&rig);
    uint64_t id, found;
    for (int i = 0; i < 20; i++) { /* accounts are everywhere */
        char account[16];
        snprintf(account, sizeof account, "account-%d", i);
        assert_int_equal(rig_reserve(&rig, account, "r1", 1, &id), XD_OK);
        assert_int_equal(rig_find_ref(&rig, account, "r1", &found), XD_OK);
        assert_int_equal(found, id);
    }
    append_many(&rig, 0, 500, 200);
    rig_wait_answers(&rig);
    int slot = atoi(redis_cli(&nodes[0], "cluster keyslot 'xd:{p0}:state'"));
    int from = slot < 5461 ? 0 : slot < 10923 ? 1 : 2;
    append_many(&rig, 500, 500, 200);
    move_slot(nodes, slot, from, (from + 1) % NODES, &rig);
    append_many(&rig, 1000, 500, 200);
    rig_wait_answers(&rig);
    assert_stored(0, 1500, XD_DURABILITY_FSYNCED);
    assert_int_equal(rig.lost_count, 0);
    check_whole(&rig, 1500);
    rig_free(&rig);
    for (int i = 0; i < NODES; i++)
        redis_server_remove(&nodes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls_with_certificates_and_an_acl_user),
        cmocka_unit_test(a_failed_over_master_is_found_through_sentinels),
        cmocka_unit_test(a_slot_of_a_cluster_moves_under_load),
    };
    rig_choose("redis");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
