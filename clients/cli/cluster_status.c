/* crossdock cluster status: members, then partitions. */
#include "clients/cli/cluster.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct look {
    int64_t ms;
    struct xd_partition_status *partitions;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool take_look(struct xd_cluster *cluster, uint16_t count, struct look *look, struct xd_error *error)
{
    look->ms = now_ms();
    for (uint16_t i = 0; i < count; i++)
        if (!xd_cluster_partition_status(cluster, i, &look->partitions[i], error)) return false;
    return true;
}

static void print_name(const char *name)
{
    xd_cli_print(xd_str_of(name));
}

static void print_member(bool json, const struct xd_member_status *member, unsigned owned)
{
    printf(json ? "{\"member\":\"%016" PRIx64 "\",\"name\":\"" : "member %016" PRIx64 "  ", member->id);
    print_name(member->name);
    printf(json ? "\",\"heartbeat_ms\":%" PRId64 ",\"partitions\":%u,\"draining\":%s}\n"
                : "  heartbeat %" PRId64 " ms ago  %u partitions%s\n",
           member->age_ms, owned,
           json ? (member->draining ? "true" : "false") : (member->draining ? "  draining" : ""));
}

static void print_partition(bool json, unsigned number, const struct xd_partition_status *now, double rate)
{
    char owner[24] = "-";
    if (now->owner) snprintf(owner, sizeof(owner), "%016" PRIx64, now->owner);
    printf(json ? "{\"partition\":%u,\"owner\":\"%s\",\"epoch\":%" PRIu64
                  ",\"generation\":%u,\"records\":%" PRIu64 ",\"committed\":%" PRIu64 ",\"events\":%" PRIu64
                  ",\"lag_records\":%" PRIu64 ",\"lag_ms\":%" PRId64 ",\"rate\":%.1f}\n"
                : "partition %-3u  owner %-16s  epoch %-4" PRIu64 "  generation %u  records %" PRIu64
                  "  committed %" PRIu64 "  events %" PRIu64 "  lag %" PRIu64 " records, %" PRId64
                  " ms  %.1f/s\n",
           number, json && !now->owner ? "" : owner, now->epoch, now->generation, now->records,
           now->committed, now->events, now->records - now->committed, now->lag_ms, rate);
}

static void print_all(const struct xd_cli *cli, const struct xd_member_status *members, int member_count,
                      const struct look *before, const struct look *after, uint16_t count)
{
    bool json = cli->settings.json;
    double seconds = (double)(after->ms - before->ms) / 1000;
    for (int m = 0; m < member_count; m++) {
        unsigned owned = 0;
        for (uint16_t i = 0; i < count; i++)
            owned += after->partitions[i].owner == members[m].id;
        print_member(json, &members[m], owned);
    }
    for (uint16_t i = 0; i < count; i++) {
        const struct xd_partition_status *now = &after->partitions[i];
        double rate = seconds > 0 ? (double)(now->committed - before->partitions[i].committed) / seconds : 0;
        print_partition(json, i, now, rate);
    }
}

enum xd_exit xd_cli_cluster_status(struct xd_cli *cli, struct xd_cluster *cluster)
{
    uint16_t count = xd_cluster_partitions(xd_cluster_layout(cluster));
    struct xd_member_status members[XD_MEMBERS_MAX];
    struct xd_error error;
    struct look looks[2] = {{.partitions = calloc(count, sizeof(struct xd_partition_status))},
                            {.partitions = calloc(count, sizeof(struct xd_partition_status))}};
    enum xd_exit status = XD_EXIT_DONE;
    if (!looks[0].partitions || !looks[1].partitions) {
        status = xd_cli_error(cli, XD_EXIT_REFUSED, "no_memory", "", "no memory");
    } else {
        bool well = take_look(cluster, count, &looks[0], &error);
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
        int member_count = well ? xd_cluster_member_status(cluster, members, &error) : -1;
        if (member_count >= 0 && take_look(cluster, count, &looks[1], &error))
            print_all(cli, members, member_count, &looks[0], &looks[1], count);
        else
            status = xd_cli_cluster_error(cli, &error);
    }
    free(looks[0].partitions);
    free(looks[1].partitions);
    return status;
}
