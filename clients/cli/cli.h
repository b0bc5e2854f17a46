/* What the commands of `crossdock` share: the settings, the connection, and how results and errors are told.
 *
 * A command gets a struct xd_cli and returns the exit status. Results go to stdout; errors to stderr, or with
 * --json to stdout as {"error": {...}}. */
#ifndef XD_CLIENTS_CLI_CLI_H
#define XD_CLIENTS_CLI_CLI_H

#include "clients/cli/settings.h"
#include "clients/include/crossdock.h"
#include "core/mp.h"

enum xd_exit {
    XD_EXIT_DONE = 0,
    XD_EXIT_REFUSED = 1, /* by the broker, or the result could not be written */
    XD_EXIT_USAGE = 2,
    XD_EXIT_NO_CONNECTION = 3, /* none could be made, or it ended */
};

enum { XD_PARAMS_MAX = 1 << 20 };

struct xd_command;

struct xd_cli {
    struct xd_cli_settings settings;
    const struct xd_command *command;
    const char *const *args; /* what stands after the command's name and is no option */
    size_t arg_count;
    xd_client *client; /* NULL until xd_cli_connect */
};

/* --- the broker (ask.c) --------------------------------------------------------------------------------- */

/* Connects as the settings say. XD_EXIT_DONE, or the error has been told. */
enum xd_exit xd_cli_connect(struct xd_cli *cli, xd_client_notify_fn *notify, void *notify_arg);

/* Calls and waits. XD_EXIT_DONE and the reply's result (xd_client_reply_free it), or the error has been told
 * and there is nothing to free. */
enum xd_exit xd_cli_ask(struct xd_cli *cli, const char *method, const struct xd_buf *params,
                        xd_client_reply *reply);

/* Begins the parameters of a call: a map of `pairs` pairs, and one more for the account of --as where it is
 * given. */
void xd_cli_params(const struct xd_cli *cli, struct xd_buf *params, uint32_t pairs);

/* Adds the pair that names an order: REF, ID, or ref=REF. */
void xd_cli_order_name(struct xd_buf *params, const char *name);

/* Connects, asks, prints with --json the result, else hands it to `print`. Frees the parameters. */
enum xd_exit xd_cli_ask_and_print(struct xd_cli *cli, const char *method, struct xd_buf *params,
                                  void (*print)(const msgpack_object *result));

/* The connection has ended: tells why. */
enum xd_exit xd_cli_lost(const struct xd_cli *cli);

/* --- telling (tell.c) ----------------------------------------------------------------------------------- */

/* Tells an error: "crossdock: field: message (code)", or the map with --json. `field` may be empty. Returns
 * `status`. */
enum xd_exit xd_cli_error(const struct xd_cli *cli, enum xd_exit status, const char *code, const char *field,
                          const char *message);

/* The same for what a check found: usage. */
enum xd_exit xd_cli_mistake(const struct xd_cli *cli, const struct xd_error *error);

/* The command line is wrong: the same with the code "usage" and a message made as printf does. */
enum xd_exit xd_cli_usage(const struct xd_cli *cli, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The broker's error map. */
enum xd_exit xd_cli_refused(const struct xd_cli *cli, const msgpack_object *error);

/* One line of JSON. */
void xd_cli_json(const msgpack_object *value);

/* Text for people: control characters become "?", so that nothing that others wrote can steer the
 * terminal. */
void xd_cli_print(struct xd_str text);

/* The commands ------------------------------------------------------------------------------------------- */

enum xd_exit xd_cli_offer(struct xd_cli *cli);
enum xd_exit xd_cli_request(struct xd_cli *cli);
enum xd_exit xd_cli_submit(struct xd_cli *cli);
enum xd_exit xd_cli_what_if(struct xd_cli *cli);
enum xd_exit xd_cli_explain(struct xd_cli *cli);
enum xd_exit xd_cli_amend(struct xd_cli *cli);
enum xd_exit xd_cli_cancel(struct xd_cli *cli);
enum xd_exit xd_cli_on_match(struct xd_cli *cli); /* cancel-match, accept, decline, complete, no-show */
enum xd_exit xd_cli_ping(struct xd_cli *cli);
enum xd_exit xd_cli_orders(struct xd_cli *cli);
enum xd_exit xd_cli_matches(struct xd_cli *cli);
enum xd_exit xd_cli_watch(struct xd_cli *cli);
enum xd_exit xd_cli_state_hash(struct xd_cli *cli);
enum xd_exit xd_cli_clock(struct xd_cli *cli);
enum xd_exit xd_cli_log(struct xd_cli *cli);
enum xd_exit xd_cli_cluster(struct xd_cli *cli);

/* What `crossdock offer --help` and `crossdock request --help` say of the fields. */
void xd_cli_help_fields(bool request);

#endif
