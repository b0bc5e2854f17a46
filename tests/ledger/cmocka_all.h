/* cmocka with what it needs before it. */
#ifndef XD_TESTS_LEDGER_CMOCKA_ALL_H
#define XD_TESTS_LEDGER_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
