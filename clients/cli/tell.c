#include "clients/cli/cli.h"
#include "core/json.h"
#include "core/pair.h"
#include "core/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MAX_BYTES = 64 << 20, ERROR_MAX = 8192 };

void xd_cli_json(const msgpack_object *value)
{
    struct xd_buf line;
    xd_buf_init(&line, LINE_MAX_BYTES);
    xd_json_write(value, &line);
    xd_buf_add(&line, "\n", 1);
    if (!line.failed) fwrite(line.data, 1, line.len, stdout);
    xd_buf_free(&line);
}

/* The length of the character at `text` if it can be shown, or 0. */
static size_t shown(const char *text, size_t len)
{
    size_t n = xd_utf8_char(text, len);
    unsigned char first = (unsigned char)text[0];
    bool control =
        first < 0x20 || first == 0x7f || (first == 0xc2 && n == 2 && (unsigned char)text[1] < 0xa0);
    return control ? 0 : n;
}

static void print_to(FILE *file, struct xd_str text)
{
    for (size_t i = 0; i < text.len;) {
        size_t n = shown(text.at + i, text.len - i);
        if (n == 0) putc('?', file);
        fwrite(text.at + i, 1, n, file);
        i += n == 0 ? 1 : n;
    }
}

void xd_cli_print(struct xd_str text)
{
    print_to(stdout, text);
}

static void error_as_json(const char *code, const char *field, const char *message)
{
    struct xd_buf packed;
    xd_buf_init(&packed, ERROR_MAX);
    xd_mp_map(&packed, 1);
    xd_mp_cstr(&packed, "error");
    xd_mp_map(&packed, field[0] ? 3 : 2);
    xd_pair_cstr(&packed, "code", code);
    xd_pair_cstr(&packed, "message", message);
    if (field[0]) xd_pair_cstr(&packed, "field", field);

    msgpack_unpacked object;
    msgpack_unpacked_init(&object);
    if (!packed.failed && msgpack_unpack_next(&object, (const char *)packed.data, packed.len, NULL) > 0)
        xd_cli_json(&object.data);
    msgpack_unpacked_destroy(&object);
    xd_buf_free(&packed);
}

enum xd_exit xd_cli_error(const struct xd_cli *cli, enum xd_exit status, const char *code, const char *field,
                          const char *message)
{
    if (cli->settings.json) {
        error_as_json(code, field, message);
        return status;
    }
    fputs("crossdock: ", stderr);
    print_to(stderr, xd_str_of(field));
    if (field[0]) fputs(": ", stderr);
    print_to(stderr, xd_str_of(message));
    fputs(" (", stderr);
    print_to(stderr, xd_str_of(code));
    fputs(")\n", stderr);
    return status;
}

enum xd_exit xd_cli_mistake(const struct xd_cli *cli, const struct xd_error *error)
{
    return xd_cli_error(cli, XD_EXIT_USAGE, xd_code_name(error->code), error->field, error->message);
}

enum xd_exit xd_cli_usage(const struct xd_cli *cli, const char *field, const char *format, ...)
{
    char message[XD_ERROR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return xd_cli_error(cli, XD_EXIT_USAGE, "usage", field, message);
}

static void copy_key(const msgpack_object *map, const char *key, char *out, size_t room)
{
    struct xd_str text = {"", 0};
    xd_mp_get_str(map, key, &text);
    snprintf(out, room, "%.*s", (int)text.len, text.at);
}

enum xd_exit xd_cli_refused(const struct xd_cli *cli, const msgpack_object *error)
{
    char code[64], field[XD_ERROR_FIELD_MAX], message[1024];
    copy_key(error, "code", code, sizeof code);
    copy_key(error, "field", field, sizeof field);
    copy_key(error, "message", message, sizeof message);
    return xd_cli_error(cli, XD_EXIT_REFUSED, code, field, message);
}
