/* The table of commands. */
#ifndef XD_CLIENTS_CLI_COMMANDS_H
#define XD_CLIENTS_CLI_COMMANDS_H

#include "clients/cli/cli.h"

struct xd_command {
    const char *name;
    const char *arguments; /* as the help shows them */
    const char *summary;   /* one line */
    const char *more;      /* further lines of its own help, or "" */
    size_t min_args, max_args;
    unsigned takes; /* XD_TAKES_... */
    enum xd_exit (*run)(struct xd_cli *cli);
};

/* The command of that name, or NULL. */
const struct xd_command *xd_command_find(const char *name);

/* Prints the help: of all, and of one. */
void xd_help_all(void);
void xd_help_command(const struct xd_command *command);

#endif
