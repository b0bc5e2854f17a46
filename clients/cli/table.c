#include "clients/cli/table.h"

#include "clients/cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { CELLS_MAX = 16 << 20 };

void xd_table_init(struct xd_text_table *table, const struct xd_column_head *heads, size_t columns)
{
    *table = (struct xd_text_table){.heads = heads, .columns = columns};
    xd_buf_init(&table->cells, CELLS_MAX);
    for (size_t i = 0; i < columns; i++) {
        size_t name = strlen(heads[i].name);
        table->width[i] = name > heads[i].width ? name : heads[i].width;
    }
}

void xd_table_free(struct xd_text_table *table)
{
    xd_buf_free(&table->cells);
}

void xd_table_cell(struct xd_text_table *table, const char *text)
{
    xd_buf_add(&table->cells, text, strlen(text) + 1);
}

static size_t characters(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void print_cell(const struct xd_text_table *table, size_t column, const char *text)
{
    size_t wide = characters(text);
    size_t pad = table->width[column] > wide ? table->width[column] - wide : 0;
    bool last = column + 1 == table->columns;
    bool right = table->heads[column].right;
    if (right) printf("%*s", (int)pad, "");
    xd_cli_print(xd_str_of(text));
    if (!right && !last) printf("%*s", (int)pad, "");
    fputs(last ? "\n" : "  ", stdout);
}

void xd_table_print(struct xd_text_table *table)
{
    const char *const end = (const char *)table->cells.data + table->cells.len;
    size_t column = 0;
    for (const char *at = (const char *)table->cells.data; at < end; at += strlen(at) + 1) {
        size_t wide = characters(at);
        if (table->width[column] < wide) table->width[column] = wide;
        column = (column + 1) % table->columns;
    }
    for (size_t i = 0; !table->headed && table->cells.len > 0 && i < table->columns; i++)
        print_cell(table, i, table->heads[i].name);
    column = 0;
    for (const char *at = (const char *)table->cells.data; at < end; at += strlen(at) + 1) {
        print_cell(table, column, at);
        column = (column + 1) % table->columns;
    }
    table->headed = table->headed || table->cells.len > 0;
    xd_buf_clear(&table->cells);
}
