#!/bin/sh
# what a policy costs: SELECTs under row-level security beside the same with the condition written out; [rows [repeats [seconds]]]
build
"$JAVA" -cp "$BENCH_CLASSPATH" --enable-native-access=ALL-UNNAMED dev.perigee.bench.PolicyCost "$@"
