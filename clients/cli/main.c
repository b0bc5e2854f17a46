/* crossdock: the command line of Crossdock. */
#include "clients/cli/commands.h"

#include <stdio.h>
#include <string.h>

enum { MISTAKES_MAX = 16 << 10 };

/* One line of mistakes, "--count: what is wrong". */
static void tell_mistake(const struct xd_cli *cli, char *line)
{
    char *message = strstr(line, ": ");
    if (message) *message = '\0';
    xd_cli_usage(cli, message ? line : "", "%s", message ? message + 2 : line);
}

static enum xd_exit tell_mistakes(const struct xd_cli *cli, struct xd_buf *mistakes)
{
    xd_buf_add(mistakes, "", 1);
    char *rest = mistakes->failed ? NULL : (char *)mistakes->data;
    for (char *line = rest ? strsep(&rest, "\n") : NULL; line && *line; line = strsep(&rest, "\n"))
        tell_mistake(cli, line);
    return XD_EXIT_USAGE;
}

static enum xd_exit check_words(const struct xd_cli *cli, const struct xd_arguments *arguments)
{
    const struct xd_command *command = cli->command;
    if (cli->arg_count < command->min_args)
        return xd_cli_usage(cli, command->name, "%s is missing", command->arguments);
    if (cli->arg_count > command->max_args)
        return xd_cli_usage(cli, command->name, "one argument too many: %s", cli->args[command->max_args]);
    const char *stray = xd_arguments_stray(arguments, command->takes);
    if (stray) return xd_cli_usage(cli, command->name, "does not take --%s", stray);
    return XD_EXIT_DONE;
}

static enum xd_exit run(struct xd_cli *cli, const struct xd_arguments *arguments)
{
    if (cli->settings.version) return puts("crossdock " XD_VERSION), XD_EXIT_DONE;
    if (arguments->word_count == 0 && cli->settings.help) return xd_help_all(), XD_EXIT_DONE;
    if (arguments->word_count == 0) return xd_cli_usage(cli, "", "no command; crossdock --help lists them");

    cli->command = xd_command_find(arguments->words[0]);
    if (!cli->command)
        return xd_cli_usage(cli, arguments->words[0], "no such command; crossdock --help lists them");
    if (cli->settings.help) return xd_help_command(cli->command), XD_EXIT_DONE;
    cli->args = arguments->words + 1;
    cli->arg_count = arguments->word_count - 1;
    enum xd_exit status = check_words(cli, arguments);
    return status == XD_EXIT_DONE ? cli->command->run(cli) : status;
}

int main(int argc, char **argv)
{
    struct xd_arguments arguments;
    struct xd_buf mistakes;
    setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* a line of errors is written at once */
    xd_buf_init(&mistakes, MISTAKES_MAX);
    bool read = xd_arguments_read(&arguments, argc, argv, &mistakes);
    struct xd_cli cli = {.settings = arguments.settings};

    enum xd_exit status = read ? run(&cli, &arguments) : tell_mistakes(&cli, &mistakes);
    xd_client_close(cli.client);
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == XD_EXIT_DONE)
        status = xd_cli_error(&cli, XD_EXIT_REFUSED, "output", "", "standard output cannot be written");
    xd_arguments_free(&arguments);
    xd_buf_free(&mistakes);
    return (int)status;
}
