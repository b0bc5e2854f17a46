/* A result that is read from the engine at once and shown when what it was read from is durable. */
#ifndef XD_BROKER_PAGE_H
#define XD_BROKER_PAGE_H

#include "broker/method.h"
#include "matcher/owner.h"

struct xd_page {
    struct xd_reply reply;
    struct xd_buf value; /* the result, whole */
    size_t held;
};

/* Where the result's value is to be written, and the engine to read it from. NULL: the call has been
 * answered. */
struct xd_page *xd_page_begin(const struct xd_reply *reply, struct xd_engine **engine);

/* Answers with the value; frees the page. */
void xd_page_show(struct xd_page *page);

/* Answers with an error instead, at once; frees the page. */
void xd_page_refuse(struct xd_page *page, const struct xd_error *error);

#endif
