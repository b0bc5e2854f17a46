#include "engine/state.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static struct xd_account **bucket(const struct xd_accounts_table *table, uint64_t hash)
{
    return &table->buckets[hash & (table->bucket_count - 1)];
}

static struct xd_account *find(const struct xd_accounts_table *table, struct xd_str name, uint64_t hash)
{
    if (!table->bucket_count) return NULL;
    struct xd_account *account = *bucket(table, hash);
    while (account && (account->hash != hash || account->len != name.len || memcmp(account->name, name.at, name.len))) {
        account = account->next;
    }
    return account;
}

struct xd_account *xd_account_find(const struct xd_accounts_table *table, struct xd_str name)
{
    return find(table, name, XXH3_64bits(name.at, name.len));
}

static bool grow(struct xd_accounts_table *table)
{
    struct xd_accounts_table bigger = *table;
    bigger.bucket_count = table->bucket_count ? table->bucket_count * 2 : 64;
    bigger.buckets = calloc(bigger.bucket_count, sizeof(*bigger.buckets));
    if (!bigger.buckets) return false;
    for (uint32_t i = 0; i < table->bucket_count; i++) {
        for (struct xd_account *account = table->buckets[i], *next; account; account = next) {
            next = account->next;
            account->next = *bucket(&bigger, account->hash);
            *bucket(&bigger, account->hash) = account;
        }
    }
    free(table->buckets);
    *table = bigger;
    return true;
}

struct xd_account *xd_account_mention(struct xd_accounts_table *table, struct xd_str name)
{
    uint64_t hash = XXH3_64bits(name.at, name.len);
    struct xd_account *account = find(table, name, hash);
    if (!account) {
        if (table->count >= table->bucket_count && !grow(table)) return NULL;
        account = xd_pool_take(table->pool, sizeof *account + name.len);
        if (!account) return NULL;
        account->hash = hash;
        account->len = name.len;
        memcpy(account->name, name.at, name.len);
        account->next = *bucket(table, hash);
        *bucket(table, hash) = account;
        table->count++;
    }
    account->mentions++;
    return account;
}

void xd_account_forget(struct xd_accounts_table *table, struct xd_account *account)
{
    if (--account->mentions) return;
    struct xd_account **link = bucket(table, account->hash);
    while (*link != account) {
        link = &(*link)->next;
    }
    *link = account->next;
    table->count--;
    xd_pool_give(table->pool, account);
}
