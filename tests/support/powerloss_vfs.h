/* A SQLite VFS in memory that can lose power and run full. A file is what was synced plus a list of the
 * writes since; a cut keeps, drops or tears each of these writes at random, as a disk may, and then every
 * call fails until the power is on again. Shared memory for WAL is heap memory. Connections of several
 * threads may use it.
 *
 * What counts as an operation: a write, a truncation, a sync, a deletion. Creation becomes durable with the
 * first sync of the file, deletion at once. A write is torn at sectors of 512 bytes; bytes beside those
 * written are never harmed (SQLITE_IOCAP_POWERSAFE_OVERWRITE, as the default VFS promises too). */
#ifndef XD_TESTS_SUPPORT_POWERLOSS_VFS_H
#define XD_TESTS_SUPPORT_POWERLOSS_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POWERLOSS_VFS "powerloss"

/* Registers the VFS once; an empty disk, without limits. */
void powerloss_start(uint64_t seed);

/* Frees all files. No connection may be open. */
void powerloss_end(void);

/* The power goes in the middle of the `operations`-th operation from now on (1: the next); 0: never. */
void powerloss_cut_after(uint64_t operations);
bool powerloss_is_cut(void);

/* True if the operation that the power went in was one on a database file itself, not on a log beside it. */
bool powerloss_cut_in_database(void);

/* After a cut, or as if one came now: decides what each write left, and serves calls again. No connection may
 * be open. */
void powerloss_power_on(void);

/* No write may make the files larger than this in all (SQLITE_FULL); 0: no limit. */
void powerloss_limit(size_t bytes);

/* The next `count` syncs fail. */
void powerloss_fail_syncs(unsigned count);

uint64_t powerloss_operations(void); /* since powerloss_start */
uint64_t powerloss_syncs(void);
size_t powerloss_bytes(void); /* of all files */

#endif
