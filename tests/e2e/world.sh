# A whole world in one folder, made with the real programs: four agencies of two countries, their CAs, a charter that all
# have signed, a broker, members and a joint auditor. To be sourced; the demo and the end-to-end tests stand on it.
#
#   world_make FOLDER BUILD     makes it and starts the broker; WORLD_CAPS: more of the charter's caps, as JSON, with a comma;
#                               WORLD_SIGNATURES: how many agencies amend it, else all four
#                               WORLD_WITNESSES=1: two witnesses, of mx.fgr and of us.dea, must both cosign
#   v MEMBER words..            the valija command as this member
#   witness_start, witness_stop AGENCY
#   broker_start, broker_stop   on the same store
#   world_end                   stops the broker
#
# Only 127.0.0.1 and a free port are used; the broker is ended by its own id.
export LC_ALL=C.UTF-8  # the tests and the demo read English
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

world_fail() { printf '%s\n' "$*" >&2; return 1; }

v() {
  local member=$1
  shift
  "$BUILD/client/valija" --profile "$W/profiles/$member" --passphrase-file "$W/passphrase" "$@"
}

audit() { "$BUILD/audit/valija-audit" "$@"; }

broker() { "$BUILD/broker/valija-broker" --config "$W/broker/broker.conf" "$@"; }

broker_start() {
  : >"$W/broker/out"
  "$BUILD/broker/valija-broker" --config "$W/broker/broker.conf" serve >"$W/broker/out" 2>>"$W/broker/err" &
  BROKER_PID=$!
  local i
  for i in $(seq 1 200); do
    PORT=$(sed -n 's/.*serving on port //p' "$W/broker/out")
    [ -n "$PORT" ] && return 0
    kill -0 "$BROKER_PID" 2>/dev/null || break
    sleep 0.05
  done
  world_fail "the broker did not start: $(tail -n 5 "$W/broker/err")"
}

# Later starts keep the port that the profiles know.
broker_fix_port() { sed -i "s/^listen=.*/listen=127.0.0.1:$PORT/" "$W/broker/broker.conf"; }

broker_stop() {
  [ -n "${BROKER_PID:-}" ] || return 0
  kill -TERM "$BROKER_PID" 2>/dev/null || true
  wait "$BROKER_PID" 2>/dev/null || true
  BROKER_PID=
}

# A witness keeps the port of its first start, which the broker knows.
witness_start() {
  local agency=$1 folder="$W/witness/$1" i port=
  : >"$folder/out"
  "$BUILD/audit/witness/valija-witness" serve --state "$folder/state" --high-water "$folder/marks" --key "$folder/key.pem" \
    --passphrase-file "$W/passphrase" --logs "$W/witness/logs" --listen "127.0.0.1:$(cat "$folder/port" 2>/dev/null || echo 0)" \
    >"$folder/out" 2>>"$folder/err" &
  echo $! >"$folder/pid"
  for i in $(seq 1 200); do
    port=$(sed -n 's/.*serving on port //p' "$folder/out")
    if [ -n "$port" ]; then echo "$port" >"$folder/port"; return 0; fi
    kill -0 "$(cat "$folder/pid")" 2>/dev/null || break
    sleep 0.05
  done
  world_fail "the witness of $agency did not start: $(tail -n 5 "$folder/err")"
}

witness_stop() {
  local pid
  pid=$(cat "$W/witness/$1/pid" 2>/dev/null) || return 0
  kill -TERM "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  rm -f "$W/witness/$1/pid"
}

# Before the charter: it names their keys. Their logs file has the key of the broker's card.
world_witnesses() {
  local agency
  mkdir -p "$W/witness"
  printf 'logs/v0\n\nvkey %s\n' "$(sed -n 's/.*"log-key": "\(.*\)",/\1/p' "$W/broker/keys/broker.card")" >"$W/witness/logs"
  for agency in mx.fgr us.dea; do
    mkdir -p "$W/witness/$agency"
    printf 'witness %s %s\n' "$agency" "$("$BUILD/audit/witness/valija-witness" init --name "witness.$agency.example/1" \
      --state "$W/witness/$agency/state" --high-water "$W/witness/$agency/marks" --key "$W/witness/$agency/key.pem" \
      --passphrase-file "$W/passphrase" | tail -n 1)" >>"$W/witnesses.policy"
    witness_start "$agency"
  done
  printf 'group both all mx.fgr us.dea\nquorum both\n' >>"$W/witnesses.policy"
  printf 'witness=["mx.fgr=http://127.0.0.1:%s","us.dea=http://127.0.0.1:%s"]\n' "$(cat "$W/witness/mx.fgr/port")" \
    "$(cat "$W/witness/us.dea/port")" >>"$W/broker/broker.conf"
}

world_end() {
  broker_stop
  local folder
  for folder in "${W:-/nowhere}"/witness/*/; do
    [ -f "$folder/pid" ] && witness_stop "$(basename "$folder")"
  done
  return 0
}

member_init() { v "$1" init --member "$1" >/dev/null; }

member_join() {
  "$source_dir/certs/sign-csr.sh" "$W/pki/${1%%/*}" "$1" "$W/profiles/$1/request.csr" "$W/profiles/$1/issued.pem" >/dev/null
  v "$1" join --charter "$W/charter" --digest "$CHARTER_DIGEST" --broker "127.0.0.1:$PORT" \
    --certificate "$W/profiles/$1/issued.pem" >/dev/null
}

world_make() {
  W=$1 BUILD=$2
  mkdir -p "$W/broker" "$W/profiles"
  (umask 077; head -c 24 /dev/urandom | base64 >"$W/passphrase")
  "$source_dir/certs/make-demo-pki.sh" "$W/pki" mx.fgr mx.uif us.cbp us.dea >/dev/null
  local member
  for member in mx.fgr/alicia mx.uif/beatriz us.cbp/tom us.dea/karen; do member_init "$member"; done

  cat >"$W/broker/broker.conf" <<CONFIG
data=$W/broker/data
high-water=$W/broker/high-water
keys=$W/broker/keys
tls-certificate=$W/broker/tls.pem
passphrase-file=$W/passphrase
listen=127.0.0.1:0
log-file=$W/broker/operations.log
CONFIG
  broker init-keys --authority broker-1 --origin pouch.example/2026 >/dev/null
  "$source_dir/certs/sign-csr.sh" "$W/pki/carrier" broker "$W/broker/keys/request.csr" "$W/broker/tls.pem" \
    --eku serverAuth --names DNS:localhost,IP:127.0.0.1 >/dev/null

  sed -e "s/\"caps\": {/&${WORLD_CAPS:-}/" -e "s/\"amendment-signatures\": 4/\"amendment-signatures\": ${WORLD_SIGNATURES:-4}/" "$source_dir/docs/examples/charter.json" >"$W/charter.json"
  if [ -n "${WORLD_WITNESSES:-}" ]; then
    world_witnesses
    sed -i 's|"carrier-ca":|"witnesses": "witnesses.policy",\n  "max-checkpoint-age-seconds": 3600,\n  &|' "$W/charter.json"
  fi
  v mx.fgr/alicia charter draft "$W/charter.json" -o "$W/charter" >/dev/null
  for member in mx.fgr/alicia mx.uif/beatriz us.cbp/tom us.dea/karen; do v "$member" --yes charter sign "$W/charter" >/dev/null; done
  CHARTER_DIGEST=$(v mx.fgr/alicia charter show "$W/charter" --json | sed 's/.*"digest":"\([0-9a-f]*\)".*/\1/')
  broker init --charter "$W/charter" >/dev/null
  broker_start
  broker_fix_port

  for member in mx.fgr/alicia mx.uif/beatriz us.cbp/tom us.dea/karen; do
    member_join "$member"
    v "$member" epoch rotate >/dev/null
  done
  world_enrol mx.fgr/alicia mx.fgr/omar --clearance secret --role analyst --role investigator --person omar
  world_enrol us.dea/karen us.dea/jrivera --clearance secret --role analyst --programme fast-boat --person rivera
  world_enrol us.dea/karen us.dea/newman --clearance restricted
  world_enrol mx.fgr/alicia mx.fgr/contralora --clearance restricted
}

# world_enrol ADMINISTRATOR MEMBER [attributes..]
world_enrol() {
  local administrator=$1 member=$2
  shift 2
  member_init "$member"
  member_join "$member"
  v "$administrator" enrol "$W/profiles/$member/member.card" "$@" >/dev/null
}
