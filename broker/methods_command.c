/* cancel, and what the sides of a match say about it: one record is appended, and what the engine made of it
 * answered. */
#include "broker/method.h"
#include "broker/route.h"
#include "core/pair.h"
#include "core/record.h"

#include <stdlib.h>
#include <string.h>

struct command {
    struct xd_reply reply;
    enum xd_record_type type;
    const char *key;    /* of the id in the answer */
    const char *given;  /* the parameter that said what the command is about */
    const char *status; /* where it was carried out */
    uint64_t id;
    char account[XD_ACCOUNT_MAX + 1];
};

static void refuse(const struct command *command, enum xd_code code)
{
    xd_reply_code(&command->reply, code,
                  code == XD_NOT_FOUND || code == XD_WRONG_STATE ? command->given : NULL);
}

static void answer(const struct command *command, enum xd_durability reached)
{
    char id[XD_ID_TEXT];
    if (command->type == XD_RECORD_CANCEL)
        xd_order_id_format(command->id, id);
    else
        xd_match_id_format(command->id, id);
    struct xd_buf *out = xd_reply_begin(&command->reply);
    xd_mp_map(out, 3);
    xd_pair_cstr(out, command->key, id);
    xd_pair_cstr(out, "status", command->status);
    xd_pair_cstr(out, "durability", xd_durability_name(reached));
    xd_reply_send(&command->reply);
}

static void give_up(struct command *command, enum xd_code code)
{
    refuse(command, code);
    free(command);
}

static void on_appended(void *arg, const struct xd_append_result *result)
{
    struct command *command = arg;
    xd_broker_stored(command->reply.session->broker);
    enum xd_code outcome = result->outcome_known ? result->outcome : XD_UNSETTLED;
    enum xd_code code = result->code == XD_OK ? outcome : result->code;
    if (code == XD_OK)
        answer(command, result->reached);
    else
        refuse(command, code);
    free(command);
}

static void append(struct command *command)
{
    struct xd_broker *broker = command->reply.session->broker;
    struct xd_record record = {.type = command->type, .account = xd_str_of(command->account)};
    uint16_t partition = 0;
    if (!xd_route_id(broker, command->id, &partition)) {
        give_up(command, XD_NOT_FOUND);
        return;
    }
    if (command->type == XD_RECORD_CANCEL)
        record.order_id = command->id;
    else
        record.match_id = command->id;
    xd_buf_clear(&broker->record);
    xd_record_pack(&record, &broker->record);
    if (broker->record.failed) {
        give_up(command, XD_NO_MEMORY);
        return;
    }
    xd_ledger_append(broker->ledger, partition, 0, broker->record.data, broker->record.len, on_appended,
                     command);
    xd_broker_appended(broker);
}

/* What every command begins with. NULL: the call has been answered. */
static struct command *begin(const struct xd_call *call, enum xd_record_type type, const char *key,
                             const char *status)
{
    enum xd_code state = xd_broker_state(call->broker);
    struct xd_str account;
    struct xd_error error;
    if (state != XD_OK) {
        xd_reply_code(&call->reply, state, NULL);
        return NULL;
    }
    if (!xd_param_account(call, &account, &error)) {
        xd_reply_error(&call->reply, &error);
        return NULL;
    }
    struct command *command = calloc(1, sizeof(*command));
    if (!command) {
        xd_reply_code(&call->reply, XD_NO_MEMORY, NULL);
        return NULL;
    }
    *command = (struct command){.reply = call->reply, .type = type, .key = key, .given = key, .status = status};
    memcpy(command->account, account.at, account.len);
    return command;
}

static void abandon(struct command *command, const struct xd_error *error)
{
    xd_reply_error(&command->reply, error);
    free(command);
}

/* --- orders --- */

static void on_found(void *arg, enum xd_code code, uint64_t order_id)
{
    struct command *command = arg;
    command->id = order_id;
    if (code == XD_OK)
        append(command);
    else
        give_up(command, code);
}

void xd_method_cancel(struct xd_call *call)
{
    struct xd_str ref;
    struct xd_error error;
    struct command *command = begin(call, XD_RECORD_CANCEL, "id", "cancelled");
    if (!command) return;
    bool well = xd_param_order_name(call, &ref, &command->id, &error);
    if (!well)
        abandon(command, &error);
    else if (ref.len == 0) {
        append(command);
    } else {
        command->given = "ref";
        xd_ledger_find_ref(call->broker->ledger, xd_str_of(command->account), ref, on_found, command);
    }
}

/* --- matches --- */

static void about_match(const struct xd_call *call, enum xd_record_type type, const char *status)
{
    struct xd_str match;
    struct xd_error error;
    struct command *command = begin(call, type, "match", status);
    if (!command) return;
    bool well = xd_param_text(call, "match", false, &match, &error);
    if (well && !xd_match_id_parse(match.at, match.len, &command->id))
        well = xd_fail(&error, XD_BAD_PARAMS, "match", "not the id of a match, as m0-4 is one");
    if (well)
        append(command);
    else
        abandon(command, &error);
}

void xd_method_cancel_match(struct xd_call *call)
{
    about_match(call, XD_RECORD_CANCEL_MATCH, "cancelled");
}

void xd_method_accept(struct xd_call *call)
{
    about_match(call, XD_RECORD_ACCEPT, "accepted");
}

void xd_method_decline(struct xd_call *call)
{
    about_match(call, XD_RECORD_DECLINE, "declined");
}

void xd_method_complete(struct xd_call *call)
{
    about_match(call, XD_RECORD_COMPLETE, "completed");
}

void xd_method_no_show(struct xd_call *call)
{
    about_match(call, XD_RECORD_NO_SHOW, "no_show");
}
