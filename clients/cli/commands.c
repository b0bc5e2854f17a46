#include "clients/cli/commands.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { HELP_MAX = 64 << 10, ONLINE = XD_TAKES_CONNECTION, OWNED = XD_TAKES_CONNECTION | XD_TAKES_AS };

static const char order_more[] =
    "KIND is truck, cold or warehouse. Places are lat,lon; ranges min..max; lists a,b; times\n"
    "RFC 3339 or epoch seconds; days YYYY-MM-DD. A ref that is left out is made up. As '*',\n"
    "account=NAME says whose order it is.\n";
static const char submit_more[] =
    "One JSON object a line, its keys the fields of an order (docs/ORDERS.md); as '*' a line may\n"
    "say whose it is (\"account\"). For each order one line comes out, in the same order:\n"
    "{\"ref\",\"id\",\"status\",\"durability\"} or {\"ref\",\"error\":{code,message,field}}.\n"
    "Without FILE, or with -, standard input is read.\n";
static const char amend_more[] =
    "FIELD= (nothing after it) takes a field out. docs/ORDERS.md says which fields can be amended,\n"
    "and when the order keeps its place among equals. REF is the order's own name, ID the broker's\n"
    "(o0-17). A ref that looks like an id: ref=REF.\n";
static const char cancel_more[] =
    "REF is the order's own name, ID the broker's (o0-17). A ref that looks like an id: ref=REF.\n";
static const char explain_more[] =
    "Of the other side's orders in reach, how many fail for each reason, and what the nearest miss\n"
    "would take. REF is the order's own name, ID the broker's (o0-17), as for cancel.\n";
static const char what_if_more[] =
    "Nothing is submitted. SIDE is offer or request; KIND and FIELD=VALUE are as for\n"
    "crossdock offer and crossdock request, whose --help lists the fields.\n";
static const char watch_more[] =
    "Events from now on, or as --durable, --from and --all say. Ends at --count or --idle, else\n"
    "when the connection does, with status 3. With --json each event is one object a line.\n";
static const char clock_more[] =
    "Only with a broker that runs with --test-clock. TIME is RFC 3339 or epoch seconds.\n";
static const char log_more[] =
    "Every record as {\"record\": offset, \"time\", \"type\", ...}; after the records that were stored\n"
    "together, the events that they caused as {\"event\": id, ...}. Reads the file, or with --redis a\n"
    "partition in Redis, as far back as they are kept. No broker is needed, and one may be running.\n";

static const char cluster_more[] =
    "init fixes, for ever, the number of partitions of a cluster, where they are cut and its market.\n"
    "status tells of members and partitions: owner, epoch, how many records and milliseconds the\n"
    "owner is behind, and records a second. drain makes a member give up its partitions; MEMBER is\n"
    "its id or its name. docs/CLUSTER.md says more.\n";

static const struct xd_command commands[] = {
    {"offer", "KIND FIELD=VALUE...", "Offer capacity.", order_more, 1, SIZE_MAX, ONLINE, xd_cli_offer},
    {"request", "KIND FIELD=VALUE...", "Ask for capacity.", order_more, 1, SIZE_MAX, ONLINE, xd_cli_request},
    {"submit", "[FILE]", "Submit orders from JSON Lines.", submit_more, 0, 1, ONLINE, xd_cli_submit},
    {"amend", "REF|ID FIELD=VALUE...", "Change the terms of an open order.", amend_more, 2, SIZE_MAX, OWNED,
     xd_cli_amend},
    {"cancel", "REF|ID", "Withdraw what is open of an order.", cancel_more, 1, 1, OWNED, xd_cli_cancel},
    {"explain", "REF|ID", "Say why an order has not matched.", explain_more, 1, 1, OWNED, xd_cli_explain},
    {"what-if", "SIDE KIND FIELD=VALUE...", "Say what an order would match.", what_if_more, 2, SIZE_MAX,
     ONLINE, xd_cli_what_if},
    {"cancel-match", "MATCH", "End a confirmed match.", "", 1, 1, OWNED, xd_cli_on_match},
    {"accept", "MATCH", "Accept a proposal.", "", 1, 1, OWNED, xd_cli_on_match},
    {"decline", "MATCH", "Decline a proposal.", "", 1, 1, OWNED, xd_cli_on_match},
    {"complete", "MATCH", "Say that a match was carried out.", "", 1, 1, OWNED, xd_cli_on_match},
    {"no-show", "MATCH", "Say that the other side did not come.", "", 1, 1, OWNED, xd_cli_on_match},
    {"orders", "", "List one's orders.", "", 0, 0, ONLINE | XD_TAKES_STATE, xd_cli_orders},
    {"matches", "", "List one's matches.", "", 0, 0, ONLINE | XD_TAKES_STATE, xd_cli_matches},
    {"watch", "", "Print events as they happen.", watch_more, 0, 0, ONLINE | XD_TAKES_WATCH, xd_cli_watch},
    {"ping", "", "Ask the broker for its time.", "", 0, 0, ONLINE, xd_cli_ping},
    {"state-hash", "", "Print the hash of the engine's state.", "", 0, 0, ONLINE, xd_cli_state_hash},
    {"clock", "set TIME | advance SECONDS", "Move the broker's clock.", clock_more, 2, 2, ONLINE,
     xd_cli_clock},
    {"cluster", "init|status|drain MEMBER", "Set up and watch a cluster over Redis.", cluster_more, 1, 2,
     XD_TAKES_REDIS | XD_TAKES_CLUSTER, xd_cli_cluster},
    {"log", "", "Print the ledger as JSON Lines.", log_more, 0, 0, XD_TAKES_DATA | XD_TAKES_REDIS,
     xd_cli_log},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

const struct xd_command *xd_command_find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    return NULL;
}

static void print_options(unsigned takes)
{
    struct xd_buf help;
    xd_buf_init(&help, HELP_MAX);
    xd_options_help_for(takes, &help);
    fwrite(help.data, 1, help.len, stdout);
    xd_buf_free(&help);
}

void xd_help_all(void)
{
    puts("Usage: crossdock [--url URL] [--account NAME] COMMAND ... [--json]\n"
         "Offers and requests of idle freight and storage capacity, at a Crossdock broker.\n\n"
         "Commands (crossdock COMMAND --help says more):");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-12s %-27s %s\n", commands[i].name, commands[i].arguments, commands[i].summary);
    print_options(XD_TAKES_CONNECTION | XD_TAKES_AS);
    puts("\nExit status: 0 done, 1 refused by the broker, 2 usage, 3 no connection.");
}

void xd_help_command(const struct xd_command *command)
{
    printf("Usage: crossdock %s%s%s [OPTIONS]\n%s\n", command->name, command->arguments[0] ? " " : "",
           command->arguments, command->summary);
    fputs(command->more, stdout);
    if (command->run == xd_cli_offer || command->run == xd_cli_request)
        xd_cli_help_fields(command->run == xd_cli_request);
    print_options(command->takes);
}
