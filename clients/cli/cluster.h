/* crossdock cluster: what its commands share. */
#ifndef XD_CLIENTS_CLI_CLUSTER_H
#define XD_CLIENTS_CLI_CLUSTER_H

#include "clients/cli/cli.h"
#include "core/cluster/status.h"

/* Prints members and partitions (two looks, a second apart, for the rate). */
enum xd_exit xd_cli_cluster_status(struct xd_cli *cli, struct xd_cluster *cluster);

/* Runs `act` with what --redis names, and gives back its status. */
typedef enum xd_exit xd_cli_redis_act(struct xd_cli *cli, struct xd_cluster *cluster, void *arg);
enum xd_exit xd_cli_with_redis(struct xd_cli *cli, xd_cli_redis_act *act, void *arg);

/* Tells an error of Redis' or of the cluster's. */
enum xd_exit xd_cli_cluster_error(const struct xd_cli *cli, const struct xd_error *error);

#endif
