/* Questions and answers between a broker and a matcher, as they are published (docs/CLUSTER.md, Questions).
 *
 *   question   [1, broker, number, question]               on <cluster>:ask:<partition>
 *   answer     [1, number, code, field, message] value     on <cluster>:answer:<broker> */
#ifndef XD_MATCHER_WIRE_H
#define XD_MATCHER_WIRE_H

#include "core/error.h"
#include "matcher/question.h"

enum { XD_WIRE_VERSION = 1 };

/* Append. `value` of an answer is empty unless the code is XD_OK. */
void xd_wire_question(struct xd_buf *out, uint64_t broker, uint64_t number,
                      const struct xd_question *question);
void xd_wire_answer(struct xd_buf *out, uint64_t number, const struct xd_error *error,
                    const struct xd_buf *value);

/* Back; strings point into `object`, `*value` into `bytes`. False if it is none. */
bool xd_wire_read_question(const msgpack_object *object, uint64_t *broker, uint64_t *number,
                           struct xd_question *out);
bool xd_wire_read_answer(struct xd_str bytes, uint64_t *number, struct xd_error *error, struct xd_str *value);

#endif
