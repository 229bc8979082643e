#!/bin/sh
# many tables at 1 s intervals, of which few or none change: CPU of Perigee and PostgreSQL, age of the copies; [tables [seconds [changing...]]], default 1000 60 0 10
build
"$JAVA" -cp "$BENCH_CLASSPATH" --enable-native-access=ALL-UNNAMED dev.perigee.bench.IdleBench "$@"
