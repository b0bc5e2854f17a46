/* A table for people: rows are kept until they are printed, so that the columns line up. */
#ifndef XD_CLIENTS_CLI_TABLE_H
#define XD_CLIENTS_CLI_TABLE_H

#include "core/buf.h"

enum { XD_COLUMNS_MAX = 12 };

struct xd_column_head {
    const char *name;
    bool right;   /* numbers */
    size_t width; /* at least */
};

struct xd_text_table {
    const struct xd_column_head *heads;
    size_t columns;
    size_t width[XD_COLUMNS_MAX]; /* characters; they never shrink, so that pages line up as far as can be */
    struct xd_buf cells;          /* each with its terminator, row by row */
    bool headed;
};

void xd_table_init(struct xd_text_table *table, const struct xd_column_head *heads, size_t columns);
void xd_table_free(struct xd_text_table *table);

/* Adds the next cell, row by row. */
void xd_table_cell(struct xd_text_table *table, const char *text);

/* Prints and forgets the rows; before the first ones, the heads. */
void xd_table_print(struct xd_text_table *table);

#endif
