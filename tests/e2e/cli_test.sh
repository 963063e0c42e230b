#!/usr/bin/env bash
# cli_test.sh BUILD_DIR: the programs as people and scripts meet them, in one world: exit statuses, reason codes, JSON,
# following, configuration, a lost or rolled-back store, what the operations log says. Every check is tried; the last line
# says how many failed.
set -uo pipefail
BUILD=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/e2e/world.sh
source "$here/world.sh"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/valija-cli.XXXXXX")
FOLLOWER=
trap '[ -z "$FOLLOWER" ] || kill "$FOLLOWER" 2>/dev/null; world_end; rm -rf "$scratch"' EXIT

checks=0 faults=0
wrong() { faults=$((faults + 1)); printf 'WRONG: %s\n' "$*"; }
# ends STATUS words..: the command ends so; what it said is in $out.
ends() {
  local want=$1 got=0
  shift
  checks=$((checks + 1))
  out=$("$@" 2>&1 </dev/null) || got=$?
  [ $got = "$want" ] || wrong "exit status $got instead of $want: $* -> $out"
}
# refused CODE STATUS words..
refused() {
  local code=$1
  ends "${@:2}"
  [[ $out == *"[$code]"* ]] || wrong "no [$code] in: $out"
}
says() { # TEXT: $out has it
  checks=$((checks + 1))
  [[ $out == *"$1"* ]] || wrong "'$1' is not in: $out"
}
# json words..: standard output is one JSON text, or one a line
json() {
  checks=$((checks + 1))
  "$@" 2>/dev/null </dev/null | python3 -c 'import json,sys
text = sys.stdin.read()
assert text.strip()
try: json.loads(text)
except ValueError: [json.loads(line) for line in text.splitlines()]' || wrong "no JSON: $*"
}
have_python() { command -v python3 >/dev/null; }

set -e
world_make "$scratch/world" "$BUILD"
set +e
cd "$source_dir/docs/examples"
send() { v "$1" --json send "${@:2}" 2>/dev/null </dev/null | sed 's/.*"record":"\([0-9a-f]*\)".*/\1/'; }
canary=CANARY-$RANDOM$RANDOM-content
printf 'secret %s\n' "$canary" >"$scratch/canary.txt"

# ---- exit statuses and reason codes ----
record=$(send mx.fgr/omar "$scratch/canary.txt" --policy partners.policy)
ends 2 v us.dea/jrivera open
ends 2 v us.dea/jrivera no-such-command
refused wrong-purpose 3 v us.dea/jrivera open "$record" --purpose prosecution
refused not-found 3 v us.dea/jrivera open 0000000000000000 --purpose analysis
refused not-authorised 3 v us.dea/jrivera export "$scratch/not-mine"
ends 0 v us.dea/jrivera open "$record" --purpose analysis
says "$canary"
ends 0 v us.dea/jrivera open "${record:0:12}" --purpose analysis -o "$scratch/opened"
cmp -s "$scratch/canary.txt" "$scratch/opened" || wrong "what was opened is not what was sent"
refused exists 4 v us.dea/jrivera open "$record" --purpose analysis -o "$scratch/opened"
ends 2 v us.dea/jrivera ack "$record" splendid

for few in "${record:0:3} --portion 0" "${record:0:3}" "${record:0:1}"; do
  # shellcheck disable=SC2086
  refused usage 2 v us.dea/jrivera open $few --purpose analysis
  says "at least 4 of its 64 hex digits"
done
both=$(send mx.fgr/omar report-summary.txt report-source.txt --policy partners.policy)
refused usage 2 v us.dea/jrivera open "${both:0:12}" --purpose analysis
says "say which with --portion"
ends 0 v us.dea/jrivera open "${both:0:12}" --portion 1 --purpose analysis

# ---- JSON ----
if have_python; then
  for words in whoami directory inbox "custody $record" "policy check partners.policy" \
    "send trace-request.txt --policy partners.policy --preview"; do
    # shellcheck disable=SC2086
    json v mx.fgr/omar --json $words
  done
fi
refused_json=$(v us.dea/jrivera --json open 0000000000000000 --purpose analysis 2>&1)
[[ $refused_json == *'"code":"not-found"'* || $refused_json == *'"code": "not-found"'* ]] || wrong "a refusal in JSON: $refused_json"

# ---- inbox --follow ----
"$BUILD/client/valija" --profile "$W/profiles/us.cbp/tom" --passphrase-file "$W/passphrase" inbox --follow \
  >"$scratch/followed" 2>&1 </dev/null &
FOLLOWER=$!
sleep 1
fresh=$(send mx.fgr/omar money-flow.json --policy partners.policy)
for _ in $(seq 1 200); do grep -q "${fresh:0:8}" "$scratch/followed" && break; sleep 0.1; done
grep -q "${fresh:0:8}" "$scratch/followed" || wrong "inbox --follow did not show the new record"
refused locked 4 v us.cbp/tom whoami
kill "$FOLLOWER"; wait "$FOLLOWER" 2>/dev/null; FOLLOWER=

# ---- policy check ----
printf 'marking TLP:PURPLE\nreleasable-to agency us.dea\npurpose analysis\nexpires 2036-01-01\n' >"$scratch/bad.policy"
ends 2 v mx.fgr/omar policy check "$scratch/bad.policy"
says "bad.policy:1: there is no marking 'TLP:PURPLE'"
ends 0 v mx.fgr/omar policy check partners.policy
ends 2 v mx.fgr/omar send trace-request.txt --policy "$scratch/bad.policy"

# ---- nothing that was sent moves a terminal ----
escape=$(printf '\033[31m\007')
printf 'x' >"$scratch/odd${escape}name.txt"
ends 0 v mx.fgr/omar send "$scratch/odd${escape}name.txt" --policy partners.policy
[[ $out != *$'\033[31m'* && $out != *$'\007'* ]] || wrong "an escape sequence of a file name reached the output"
ends 2 v mx.fgr/omar --yes revoke "$record" --why "red ${escape} ink"
[[ $out != *$'\033[31m'* ]] || wrong "an escape sequence reached the output"
printf 'a%sb' "$escape" >"$scratch/escape.txt"
odd=$(send mx.fgr/omar "$scratch/escape.txt" --policy partners.policy)
if command -v script >/dev/null; then
  script -qec "'$BUILD/client/valija' --profile '$W/profiles/us.dea/jrivera' --passphrase-file '$W/passphrase' open $odd --purpose analysis" \
    /dev/null >"$scratch/terminal" 2>&1 </dev/null
  ! grep -q $'\033\[31m' "$scratch/terminal" || wrong "an escape sequence of the content reached a terminal"
fi
ends 0 v us.dea/jrivera open "$odd" --purpose analysis
checks=$((checks + 1))
[[ $out == *"a${escape}b"* ]] || wrong "a pipe gets the content as it is"

# ---- keys and passphrases ----
echo not-the-passphrase >"$scratch/other" && chmod 600 "$scratch/other"
refused bad-passphrase 3 "$BUILD/client/valija" --profile "$W/profiles/us.dea/newman" --passphrase-file "$scratch/other" inbox
chmod 644 "$scratch/other"
refused unsafe-file 4 "$BUILD/client/valija" --profile "$W/profiles/us.dea/newman" --passphrase-file "$scratch/other" inbox
chmod 644 "$W/profiles/us.dea/newman/keys/signature.pem"
refused unsafe-file 4 v us.dea/newman inbox
chmod 600 "$W/profiles/us.dea/newman/keys/signature.pem"

# ---- completion ----
# shellcheck source=client/completion.bash
ends 0 bash -c "source '$source_dir/client/completion.bash' && complete -p valija"
says valija

# ---- the broker's configuration ----
ends 0 broker --check-config
for command in "serve" "init-keys --authority a --origin b" "init --charter $W/charter" "export $scratch/unasked"; do
  # shellcheck disable=SC2086 # several words
  ends 2 broker --check-config $command
  says check-config
done
[ ! -e "$scratch/unasked" ] || wrong "--check-config beside a subcommand did what that does"
echo not-the-passphrase >"$scratch/broker-passphrase" && chmod 600 "$scratch/broker-passphrase"
refused bad-passphrase 3 broker --check-config --passphrase-file "$scratch/broker-passphrase"
refused bad-configuration 2 broker --check-config --tls-certificate "$W/pki/carrier/ca.pem"
says "another key than tls-key.pem"
ends 2 broker --check-config --data "" --high-water "" --listen nonsense --log-format loud --batch-limit 0
for fault in data high-water listen log-format batch-limit; do says "$fault"; done
ends 2 broker --check-config --high-water "$W/broker/data/mark"
says "high-water must not lie in the data folder"
printf 'no-such-setting=1\n' | cat "$W/broker/broker.conf" - >"$scratch/extra.conf"
ends 2 "$BUILD/broker/valija-broker" --config "$scratch/extra.conf" --check-config
chmod 644 "$W/broker/keys/log-key.pem"
ends 2 broker --check-config
says log-key.pem
chmod 600 "$W/broker/keys/log-key.pem"

# ---- the store ----
refused locked 4 broker --listen 127.0.0.1:0 --log-file "" serve
broker_stop
cp -r "$W/broker/data" "$scratch/old-data"
broker_start
after=$(send mx.fgr/omar trace-request.txt --policy partners.policy)
broker_stop

mv "$W/broker/data" "$scratch/data"
ends 5 broker serve
[ ! -e "$W/broker/data" ] || wrong "a lost store was made anew"
cp -r "$scratch/old-data" "$W/broker/data"
refused rolled-back 5 broker serve
rm -rf "$W/broker/data"
mv "$scratch/data" "$W/broker/data"
mv "$W/broker/high-water" "$scratch/high-water"
ends 5 broker serve
mv "$scratch/high-water" "$W/broker/high-water"
refused exists 4 broker init --charter "$W/charter"

# ---- little room: below the floor no bodies and no statements are taken, and reading goes on ----
cp "$W/broker/broker.conf" "$scratch/broker.conf"
echo 'min-free-mib=4000000000' >>"$W/broker/broker.conf"
broker_start || wrong "the broker does not start where there is little room"
refused storage 4 v mx.fgr/omar send trace-request.txt --policy partners.policy
ends 0 v us.dea/jrivera inbox
cp "$scratch/broker.conf" "$W/broker/broker.conf"
broker_stop
checks=$((checks + 1))
grep -q free-space "$W/broker/operations.log" || wrong "the operations log does not say that there is little room"

# ---- a full disk: no file may grow beyond 8 MiB, and none beyond what is there ----
broker_limited() { (ulimit -f 8192; trap '' XFSZ; broker_start && echo "$BROKER_PID $PORT" >"$scratch/limited"); }
broker_limited
checks=$((checks + 1))
if [ -s "$scratch/limited" ]; then
  read -r BROKER_PID PORT <"$scratch/limited"
  head -c 20000000 /dev/urandom >"$scratch/large"
  # Until the store has met its limit: a slow machine may first be out of time.
  for _ in 1 2 3 4 5 6; do
    full=0
    out=$(v mx.fgr/omar --timeout 60 send "$scratch/large" --policy partners.policy 2>&1 </dev/null) || full=$?
    [ $full = 0 ] || ! grep -q store-write-failed "$W/broker/operations.log" || break
  done
  [ $full = 4 ] || wrong "a full disk: exit status $full, not 4: $out"
  grep -q store-write-failed "$W/broker/operations.log" || wrong "the limit on the store's files was never reached"
  kill -TERM "$BROKER_PID"
  for _ in $(seq 1 300); do kill -0 "$BROKER_PID" 2>/dev/null || break; sleep 0.1; done
  kill -KILL "$BROKER_PID" 2>/dev/null
  BROKER_PID=
else
  wrong "the broker with a limit on its files did not start"
fi
broker_start || wrong "the broker does not start after the disk was full"
ends 0 v us.dea/jrivera open "$after" --purpose analysis

# ---- the operations log ----
broker_stop
checks=$((checks + 1))
[ -s "$W/broker/operations.log" ] || wrong "there is no operations log"
if have_python; then
  python3 -c 'import json,sys
for line in open(sys.argv[1]): assert {"time", "level", "event"} <= json.loads(line).keys(), line' "$W/broker/operations.log" ||
    wrong "the operations log is not JSON lines"
fi
for secret in "$canary" "$(head -n 1 "$W/passphrase")" "PRIVATE KEY"; do
  ! grep -rqF -- "$secret" "$W/broker/operations.log" "$W/broker/err" "$W/broker/out" || wrong "the log holds a secret"
done
! grep -rqF -- "$canary" "$W/broker/data" || wrong "the store holds the content"

printf '%d checks, %d wrong\n' "$checks" "$faults"
[ "$faults" = 0 ]
