#!/usr/bin/env bash
# make-demo-pki.sh [FOLDER [AGENCY ...]]: the certificate authorities of a demonstration, made with openssl alone.
#
#   FOLDER/<agency>/ca.pem  ca.key     each agency's own CA (P-256, 10 years); only it speaks for the agency's members
#   FOLDER/carrier/ca.pem   ca.key     whoever runs the broker
#   FOLDER/broker/server.pem server.key   the broker's TLS certificate, from the carrier's CA, for localhost
#
# FOLDER is certs/out unless given; what is there already is kept, so an agency can be added later. Members' keys are
# not made here: each member makes its own three pairs with `valija init`, and its agency signs the request with
# sign-csr.sh. The CA keys lie unencrypted (mode 0600): right for a demonstration, and for nothing else.
set -euo pipefail
umask 077
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

folder=${1:-$here/out}
[ $# = 0 ] || shift
agencies=("$@")
[ ${#agencies[@]} -gt 0 ] || agencies=(mx.fgr mx.sat us.dea us.cbp)

stop() { printf 'make-demo-pki: %s\n' "$*" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '[req]\ndistinguished_name = name\n[name]\n' >"$work/openssl.cnf"

# make_ca NAME SUBJECT
make_ca() {
  local dir=$folder/$1
  if [ -e "$dir/ca.pem" ]; then echo "$1: kept, $dir/ca.pem was there"; return; fi
  mkdir -p "$dir"
  openssl req -x509 -config "$work/openssl.cnf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 3650 \
    -subj "$2" -addext 'basicConstraints = critical, CA:TRUE, pathlen:0' -addext 'keyUsage = critical, keyCertSign, cRLSign' \
    -addext 'subjectKeyIdentifier = hash' -keyout "$dir/ca.key" -out "$dir/ca.pem" 2>"$work/log" || stop "$(cat "$work/log")"
  echo "$1: new CA in $dir/ca.pem"
}

for agency in "${agencies[@]}"; do
  [[ $agency =~ ^[a-z]{2}\.[a-z0-9-]{1,32}$ ]] || stop "'$agency' is no agency: country, dot, name, as in us.dea"
done
for agency in "${agencies[@]}"; do make_ca "$agency" "/O=$agency/CN=$agency demo CA"; done
make_ca carrier '/O=carrier/CN=carrier demo CA'

if [ ! -e "$folder/broker/server.pem" ]; then
  mkdir -p "$folder/broker"
  openssl req -new -config "$work/openssl.cnf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -subj /CN=broker \
    -keyout "$folder/broker/server.key" -out "$work/broker.csr" 2>"$work/log" || stop "$(cat "$work/log")"
  "$here/sign-csr.sh" "$folder/carrier" broker "$work/broker.csr" "$folder/broker/server.pem" \
    --eku serverAuth --names DNS:localhost,IP:127.0.0.1
fi
