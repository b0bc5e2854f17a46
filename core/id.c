#include "core/id.h"

/* Text being read from the left. */
struct reader {
    const char *at;
    const char *end;
};

static bool take_char(struct reader *in, char c)
{
    if (in->at == in->end || *in->at != c) return false;
    in->at++;
    return true;
}

/* A number up to `max` as put_number writes it: without leading zeros. */
static bool take_number(struct reader *in, uint64_t max, uint64_t *out)
{
    const char *first = in->at;
    uint64_t value = 0;
    for (; in->at < in->end && *in->at >= '0' && *in->at <= '9'; in->at++) {
        unsigned digit = (unsigned)(*in->at - '0');
        if (value > (max - digit) / 10) return false;
        value = value * 10 + digit;
    }
    if (in->at == first || (*first == '0' && in->at - first > 1)) return false;
    *out = value;
    return true;
}

static char *put_number(char *at, uint64_t value)
{
    char reversed[20];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (n > 0)
        *at++ = reversed[--n];
    return at;
}

static size_t finish(char *out, char *at)
{
    *at = '\0';
    return (size_t)(at - out);
}

static size_t id_format(char letter, uint64_t id, char *out)
{
    char *at = out;
    *at++ = letter;
    at = put_number(at, xd_id_partition(id));
    *at++ = '-';
    at = put_number(at, xd_id_number(id));
    return finish(out, at);
}

size_t xd_order_id_format(uint64_t id, char out[static XD_ID_TEXT])
{
    return id_format('o', id, out);
}

size_t xd_match_id_format(uint64_t id, char out[static XD_ID_TEXT])
{
    return id_format('m', id, out);
}

static char *put_event_id(char *at, struct xd_event_id id, char separator)
{
    at = put_number(at, id.partition);
    *at++ = separator;
    at = put_number(at, id.generation);
    *at++ = separator;
    return put_number(at, id.offset);
}

size_t xd_event_id_format(struct xd_event_id id, char out[static XD_ID_TEXT])
{
    out[0] = 'e';
    return finish(out, put_event_id(out + 1, id, '-'));
}

size_t xd_cursor_format(struct xd_event_id next, char out[static XD_ID_TEXT])
{
    return finish(out, put_event_id(out, next, '.'));
}

static bool id_parse(char letter, const char *text, size_t len, uint64_t *out)
{
    struct reader in = {text, text + len};
    uint64_t partition, number;
    if (!take_char(&in, letter) || !take_number(&in, UINT16_MAX, &partition) || !take_char(&in, '-') ||
        !take_number(&in, XD_ID_NUMBER_MAX, &number) || in.at != in.end || number == 0)
        return false;
    *out = xd_id((uint16_t)partition, number);
    return true;
}

bool xd_order_id_parse(const char *text, size_t len, uint64_t *out)
{
    return id_parse('o', text, len, out);
}

bool xd_match_id_parse(const char *text, size_t len, uint64_t *out)
{
    return id_parse('m', text, len, out);
}

/* All that is left of the text. */
static bool take_event_id(struct reader *in, char separator, struct xd_event_id *out)
{
    uint64_t partition, generation, offset;
    if (!take_number(in, UINT16_MAX, &partition) || !take_char(in, separator) ||
        !take_number(in, UINT32_MAX, &generation) || !take_char(in, separator) ||
        !take_number(in, UINT64_MAX, &offset) || in->at != in->end)
        return false;
    *out = (struct xd_event_id){(uint16_t)partition, (uint32_t)generation, offset};
    return true;
}

bool xd_event_id_parse(const char *text, size_t len, struct xd_event_id *out)
{
    struct reader in = {text, text + len};
    return take_char(&in, 'e') && take_event_id(&in, '-', out);
}

bool xd_cursor_parse(const char *text, size_t len, struct xd_event_id *next)
{
    struct reader in = {text, text + len};
    return take_event_id(&in, '.', next);
}
