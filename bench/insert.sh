#!/bin/sh
# bulk insert through Perigee's SQLite binding, beside sqlite-jdbc; [rows per run, default 200000]
build
"$JAVA" --enable-native-access=ALL-UNNAMED -cp "$BENCH_CLASSPATH" dev.perigee.bench.InsertBench "$@"
