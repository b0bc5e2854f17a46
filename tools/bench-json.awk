# The medians of a bench run (SUBJECT CASE METRIC MEDIAN LOWEST HIGHEST) as JSON, one object a line.
BEGIN {
    split("rate bytes fsyncs p50 p99 client_cpu share", metrics, " ")
    split("orders_per_s bytes_per_order fsyncs_per_order ack_p50 ack_p99 generator_cpu matched", names, " ")
    split("orders/s bytes/order fsyncs/order us us us/order %", units, " ")
    for (i in metrics) {
        name[metrics[i]] = names[i]
        unit[metrics[i]] = units[i]
    }
}

{
    median[$1, $2, $3] = $4
    line[++n] = $0
}

# `against` another subject's same metric, or "" for no comparison.
function object(f, against, called) {
    printf "{\"bench\":\"broker\",\"case\":\"%s\",\"metric\":\"%s\",\"value\":%s,", f[2], called, f[4]
    printf "\"unit\":\"%s\",", unit[f[3]]
    if (against == "")
        printf "\"against\":null,\"ratio\":null,"
    else
        printf "\"against\":\"%s\",\"ratio\":%.4g,", against == "broker" ? "plain" : against,
            f[4] / median[against, f[2], f[3]]
    printf "\"low\":%s,\"high\":%s}\n", f[5], f[6]
}

END {
    for (i = 1; i <= n; i++) {
        split(line[i], f, " ")
        called = (f[1] == "broker" ? "" : f[1] "_") name[f[3]]
        if (f[1] == "broker" && (f[3] == "rate" || f[3] == "bytes" || f[3] == "fsyncs"))
            object(f, "redis", called)
        if (f[1] == "broker" && f[3] == "rate")
            object(f, "raw", called)
        else if (f[1] == "tls")
            object(f, "broker", called)
        else if (f[1] != "broker" || (f[3] != "bytes" && f[3] != "fsyncs"))
            object(f, "", called)
    }
}
