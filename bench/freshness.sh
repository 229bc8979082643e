#!/bin/sh
# one writer and 64 readers who say how fresh their answers must be, in modes cursor, xmin and log: stale answers, waits, polls; [seconds [transactions per second [seed]]], default 60 500
build
"$JAVA" -cp "$BENCH_CLASSPATH" --enable-native-access=ALL-UNNAMED dev.perigee.bench.FreshnessBench "$@"
