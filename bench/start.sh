#!/bin/sh
# from the start of `perigee serve`, on a replica that exists, to its first answer, and `perigee version`, beside an empty Java program: medians; [starts], default 20
times=${1:-20}
./perigee version >/dev/null || fail "the build failed"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ADMIN_AUTHORIZATION_TOKEN=admin-token-of-the-benchmark CLIENT_AUTHORIZATION_TOKEN=client-token-of-the-benchmark
port=18799

now() {
    echo $(($(date +%s%N) / 1000000))
}

first_answer() {
    token=$1
    begin=$(now)
    ./perigee serve --data "$work/data" --port $port >"$work/log" 2>&1 &
    server=$!
    until curl -s -o /dev/null -f "http://127.0.0.1:$port/query" -H "Authorization: Bearer $token" \
        -H 'Content-Type: application/json' -d '{"sql": "SELECT count(*) FROM sqlite_schema"}'; do
        kill -0 $server 2>/dev/null || fail "the server ended: $(cat "$work/log")"
        sleep 0.01
    done
    echo $(($(now) - begin))
    kill $server
    wait $server || :
}

run_time() {
    begin=$(now)
    "$@" >/dev/null
    echo $(($(now) - begin))
}

report() {
    sort -n "$work/$1" | awk -v what="$2" '{ms[NR] = $1} END {printf "%-36s %6d ms  (%d to %d)\n", what, ms[int((NR + 1) / 2)], ms[1], ms[NR]}'
}

printf 'class Empty {\n    public static void main(String[] args) {}\n}\n' >"$work/Empty.java"
"$(dirname "$JAVA")/javac" -d "$work" "$work/Empty.java"
first_answer "$ADMIN_AUTHORIZATION_TOKEN" >/dev/null # The replica is made.
round=0
while [ $round -lt "$times" ]; do
    first_answer "$ADMIN_AUTHORIZATION_TOKEN" >>"$work/admin"
    first_answer "$CLIENT_AUTHORIZATION_TOKEN" >>"$work/client"
    run_time ./perigee version >>"$work/version"
    run_time "$JAVA" -cp "$work" Empty >>"$work/java"
    round=$((round + 1))
done
report admin 'serve, first answer to an admin'
report client 'serve, first answer to a client'
report version 'perigee version'
report java 'java, an empty program'
