#include "broker/page.h"

#include <stdlib.h>

enum { VALUE_MAX = 16 << 20 };

static void drop(struct xd_page *page)
{
    xd_buf_free(&page->value);
    free(page);
}

static void on_settled(void *arg, enum xd_code code)
{
    struct xd_page *page = arg;
    xd_session_let_go(page->reply.session, page->held);
    if (code != XD_OK) {
        xd_reply_code(&page->reply, code, NULL);
    } else {
        xd_buf_add(xd_reply_begin(&page->reply), page->value.data, page->value.len);
        xd_reply_send(&page->reply);
    }
    drop(page);
}

void xd_page_show(struct xd_page *page)
{
    page->held = sizeof(*page) + page->value.cap;
    xd_session_hold(page->reply.session, page->held);
    if (page->value.failed)
        on_settled(page, XD_NO_MEMORY);
    else
        xd_ledger_settle(page->reply.session->broker->ledger, on_settled, page);
}

void xd_page_refuse(struct xd_page *page, const struct xd_error *error)
{
    xd_reply_error(&page->reply, error);
    drop(page);
}

struct xd_page *xd_page_begin(const struct xd_reply *reply, struct xd_engine **engine)
{
    struct xd_broker *broker = reply->session->broker;
    enum xd_code state = xd_broker_state(broker);
    *engine = xd_owner_engine(broker->owner);
    if (state == XD_OK && !*engine) state = XD_OVERLOADED;
    struct xd_page *page = state == XD_OK ? calloc(1, sizeof(*page)) : NULL;
    if (!page) {
        xd_reply_code(reply, state != XD_OK ? state : XD_NO_MEMORY, NULL);
        return NULL;
    }
    page->reply = *reply;
    xd_buf_init(&page->value, VALUE_MAX);
    return page;
}
