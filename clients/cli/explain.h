/* What the broker found out about an order, for people or, with --json, for programs. */
#ifndef XD_CLIENTS_CLI_EXPLAIN_H
#define XD_CLIENTS_CLI_EXPLAIN_H

#include "clients/cli/cli.h"

enum xd_exit xd_cli_tell_explanation(const struct xd_cli *cli, const msgpack_object *explanation);

#endif
