/* crossdock-docs orders|errors: prints a page of docs/ in Markdown. */
#include "core/tools/docs.h"

#include "core/error.h"

#include <stdlib.h>
#include <string.h>

bool xd_docs_errors(FILE *out)
{
    fputs("# Errors\n\n"
          "<!-- Printed by `crossdock-docs errors` from the table in core/error.h; change it there. -->\n\n"
          "An error is a map: `code`, one of these names, for programs; `message`, a sentence for people "
          "that says what\n"
          "was given and what is allowed; and `field`, where the error is about one (`from.lat` for what "
          "lies inside\n"
          "another field). Messages may change from version to version, codes do not.\n\n"
          "| code | meaning |\n|---|---|\n",
          out);
    for (int code = XD_OK + 1; code < XD_CODE_COUNT; code++) {
        fprintf(out, "| `%s` | %s |\n", xd_code_name((enum xd_code)code),
                xd_code_meaning((enum xd_code)code));
    }
    return true;
}

int main(int argc, char **argv)
{
    bool done = false;
    if (argc == 2 && strcmp(argv[1], "orders") == 0) {
        done = xd_docs_orders(stdout);
    } else if (argc == 2 && strcmp(argv[1], "errors") == 0) {
        done = xd_docs_errors(stdout);
    } else {
        fputs("usage: crossdock-docs orders|errors\n", stderr);
        return 2;
    }
    return done && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
