#!/bin/sh
# first load of the events table with -Xmx256m, beside one stream to nothing, C and JDBC; [rows [repeats]]
build
"$JAVA" -cp "$BENCH_CLASSPATH" dev.perigee.bench.LoadComparison "$@"
