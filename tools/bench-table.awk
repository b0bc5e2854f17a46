# The medians of a bench run (SUBJECT CASE METRIC MEDIAN LOWEST HIGHEST) as tables for people.
# Wants -v cases, repeats, seconds.
{
    m[$1, $2, $3] = $4
    spread[$1, $2, $3] = $4 > 0 ? 50 * ($6 - $5) / $4 : 0
}

function rate(subject, c) {
    return sprintf("%9d +-%2.0f%%", m[subject, c, "rate"], spread[subject, c, "rate"])
}

END {
    n = split(cases, c, " ")
    printf "Medians of %d runs of %s s and half the spread. Orders or records a second:\n\n", repeats, seconds
    printf "%-7s %15s %15s %15s %15s", "case", "broker", "redis", "raw", "tls"
    printf " %10s %9s %9s\n", "over redis", "over raw", "tls/plain"
    for (i = 1; i <= n; i++) {
        broker = m["broker", c[i], "rate"]
        printf "%-7s %15s %15s", c[i], rate("broker", c[i]), rate("redis", c[i])
        printf " %15s %15s", rate("raw", c[i]), rate("tls", c[i])
        printf " %10.2f %9.2f", broker / m["redis", c[i], "rate"], broker / m["raw", c[i], "rate"]
        printf " %8.0f%%\n", 100 * m["tls", c[i], "rate"] / broker
    }
    printf "\nFor each order or record:\n\n%-7s %12s %12s", "case", "bytes", "bytes redis"
    printf " %13s %13s %12s %12s %15s\n", "fsyncs", "fsyncs redis", "ack p50 us", "ack p99 us", "generator us"
    for (i = 1; i <= n; i++) {
        printf "%-7s %12d %12d", c[i], m["broker", c[i], "bytes"], m["redis", c[i], "bytes"]
        printf " %13.5f %13.5f", m["broker", c[i], "fsyncs"], m["redis", c[i], "fsyncs"]
        printf " %12.0f %12.0f", m["broker", c[i], "p50"], m["broker", c[i], "p99"]
        printf " %15.2f\n", m["broker", c[i], "client_cpu"]
    }
    printf "\nWatched and verified, %s: %d orders/s; %.1f of 100 requests matched the book.\n", c[n],
        m["watched", c[n], "rate"], m["watched", c[n], "share"]
}
