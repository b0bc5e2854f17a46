/* The commands that are one call: cancel, what is done to a match, ping, state-hash, clock. */
#include "clients/cli/commands.h"
#include "core/given.h"
#include "core/id.h"
#include "core/pair.h"
#include "core/when.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum xd_exit xd_cli_ask_and_print(struct xd_cli *cli, const char *method, struct xd_buf *params,
                                  void (*print)(const msgpack_object *result))
{
    xd_client_reply reply;
    enum xd_exit status = xd_cli_connect(cli, NULL, NULL);
    if (status == XD_EXIT_DONE) status = xd_cli_ask(cli, method, params, &reply);
    xd_buf_free(params);
    if (status != XD_EXIT_DONE) return status;
    if (cli->settings.json)
        xd_cli_json(&reply.result);
    else
        print(&reply.result);
    xd_client_reply_free(&reply);
    return XD_EXIT_DONE;
}

static void print_status(const msgpack_object *result)
{
    struct xd_str name = {"", 0}, status = name;
    if (!xd_mp_get_str(result, "match", &name)) xd_mp_get_str(result, "id", &name);
    xd_mp_get_str(result, "status", &status);
    xd_cli_print(name);
    fputs("  ", stdout);
    xd_cli_print(status);
    putchar('\n');
}

enum xd_exit xd_cli_cancel(struct xd_cli *cli)
{
    struct xd_buf params;
    xd_cli_params(cli, &params, 1);
    xd_cli_order_name(&params, cli->args[0]);
    return xd_cli_ask_and_print(cli, "cancel", &params, print_status);
}

enum xd_exit xd_cli_on_match(struct xd_cli *cli)
{
    const char *name = cli->args[0];
    char given[XD_GIVEN], method[16];
    uint64_t id;
    xd_given_text(name, strlen(name), given);
    if (!xd_match_id_parse(name, strlen(name), &id))
        return xd_cli_usage(cli, "MATCH", "%s is not a match's id, such as m0-4", given);

    /* The method is the command's name with underscores. */
    snprintf(method, sizeof method, "%s", cli->command->name);
    for (char *at = strchr(method, '-'); at; at = strchr(at, '-'))
        *at = '_';
    struct xd_buf params;
    xd_cli_params(cli, &params, 1);
    xd_pair_cstr(&params, "match", name);
    return xd_cli_ask_and_print(cli, method, &params, print_status);
}

/* --- ping ----------------------------------------------------------------------------------------------- */

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void print_time(const msgpack_object *result)
{
    char text[32];
    int64_t time = 0;
    xd_mp_get_int(result, "time", &time);
    xd_time_format(time, text);
    fputs(text, stdout);
}

enum xd_exit xd_cli_ping(struct xd_cli *cli)
{
    enum xd_exit status = xd_cli_connect(cli, NULL, NULL);
    if (status != XD_EXIT_DONE) return status;
    struct xd_buf params;
    xd_cli_params(cli, &params, 0);
    xd_client_reply reply;
    double start = now_ms();
    status = xd_cli_ask(cli, "ping", &params, &reply);
    double took = now_ms() - start;
    xd_buf_free(&params);
    if (status != XD_EXIT_DONE) return status;

    int64_t time = 0;
    xd_mp_get_int(&reply.result, "time", &time);
    if (cli->settings.json) {
        printf("{\"time\":%" PRId64 ",\"ms\":%.3f}\n", time, took);
    } else {
        print_time(&reply.result);
        printf("  %.3f ms\n", took);
    }
    xd_client_reply_free(&reply);
    return XD_EXIT_DONE;
}

/* --- state-hash ----------------------------------------------------------------------------------------- */

static void print_hash(const struct xd_cli *cli, const msgpack_object *partition)
{
    if (cli->settings.json) {
        xd_cli_json(partition);
        return;
    }
    int64_t number = 0, records = 0;
    struct xd_str hash = {"", 0};
    xd_mp_get_int(partition, "partition", &number);
    xd_mp_get_int(partition, "records", &records);
    xd_mp_get_str(partition, "hash", &hash);
    printf("partition %" PRId64 "  after %" PRId64 " records  ", number, records);
    xd_cli_print(hash);
    putchar('\n');
}

enum xd_exit xd_cli_state_hash(struct xd_cli *cli)
{
    struct xd_buf params;
    xd_client_reply reply;
    enum xd_exit status = xd_cli_connect(cli, NULL, NULL);
    if (status != XD_EXIT_DONE) return status;
    xd_cli_params(cli, &params, 0);
    status = xd_cli_ask(cli, "state_hash", &params, &reply);
    xd_buf_free(&params);
    if (status != XD_EXIT_DONE) return status;
    const msgpack_object *partitions = xd_mp_get(&reply.result, "partitions");
    bool list = partitions && partitions->type == MSGPACK_OBJECT_ARRAY;
    for (uint32_t i = 0; list && i < partitions->via.array.size; i++)
        print_hash(cli, &partitions->via.array.ptr[i]);
    xd_client_reply_free(&reply);
    return XD_EXIT_DONE;
}

/* --- clock ---------------------------------------------------------------------------------------------- */

static void print_clock(const msgpack_object *result)
{
    print_time(result);
    putchar('\n');
}

/* All of `text` as a whole number of at most 18 digits, none negative. */
static bool whole_number(const char *text, int64_t *out)
{
    size_t len = strlen(text);
    if (len == 0 || len > 18 || strspn(text, "0123456789") != len) return false;
    *out = strtoll(text, NULL, 10);
    return true;
}

enum xd_exit xd_cli_clock(struct xd_cli *cli)
{
    const char *what = cli->args[0], *text = cli->args[1];
    char given[XD_GIVEN];
    int64_t seconds;
    bool set = strcmp(what, "set") == 0;
    xd_given_text(text, strlen(text), given);
    if (!set && strcmp(what, "advance") != 0)
        return xd_cli_usage(cli, "clock", "%s is missing", cli->command->arguments);
    bool good = whole_number(text, &seconds) || (set && xd_time_parse(text, strlen(text), &seconds));
    if (!good && set) return xd_cli_usage(cli, "TIME", "%s is neither RFC 3339 nor seconds", given);
    if (!good) return xd_cli_usage(cli, "SECONDS", "%s is not a whole number of seconds", given);

    struct xd_buf params;
    xd_cli_params(cli, &params, 1);
    xd_pair_int(&params, what, seconds);
    return xd_cli_ask_and_print(cli, "clock", &params, print_clock);
}
