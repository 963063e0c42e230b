#!/usr/bin/env bash
# The scripts of certs/: what they make verifies, and what they must refuse they refuse.
set -euo pipefail
source_dir=${1:?usage: certs_test.sh SOURCE_DIR}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# holds SENTENCE COMMAND..: the command succeeds.   fails SENTENCE COMMAND..: it does not.
holds() { local what=$1; shift; if "$@" >"$work/said" 2>&1; then echo "ok      $what"; else bad "$what"; fi; }
fails() { local what=$1; shift; if "$@" >"$work/said" 2>&1; then bad "$what"; else echo "ok      $what"; fi; }
bad() { echo "FAILED  $1"; sed 's/^/        /' "$work/said"; failures=$((failures + 1)); }
says() { grep -q -- "$1" "$work/said" || bad "(the sentence should hold: $1)"; }

pki=$work/pki
sign() { "$source_dir/certs/sign-csr.sh" "$@"; }
client_of() { openssl verify -x509_strict -purpose sslclient -CAfile "$pki/$1/ca.pem" "$work/$2.pem"; }
names_in() { openssl x509 -in "$work/$1.pem" -noout -ext subjectAltName | tail -n +2; }
equal() { [ "$1" = "$2" ] || { echo "'$1' is not '$2'"; return 1; }; }
request() {  # request NAME CURVE [SAN]
  openssl req -new -newkey ec -pkeyopt "ec_paramgen_curve:$2" -nodes -subj "/CN=whoever" \
    -addext "subjectAltName = ${3:-URI:valija:us.dea/jrivera}" -keyout "$work/$1.key" -out "$work/$1.csr" 2>/dev/null
}

holds "makes the CAs of the agencies it is given" "$source_dir/certs/make-demo-pki.sh" "$pki" us.dea mx.fgr
holds "one CA for each agency, and the carrier's" test -s "$pki/us.dea/ca.pem" -a -s "$pki/mx.fgr/ca.pem" -a -s "$pki/carrier/ca.pem"
holds "every key is readable by its owner alone" equal "$(find "$pki" -name '*.key' ! -perm 600)" ""
fails "agencies do not share a CA" cmp -s "$pki/us.dea/ca.pem" "$pki/mx.fgr/ca.pem"
holds "the broker's certificate is a TLS server's, for localhost" openssl verify -x509_strict -purpose sslserver \
  -verify_hostname localhost -CAfile "$pki/carrier/ca.pem" "$pki/broker/server.pem"
holds "and for 127.0.0.1" openssl verify -verify_ip 127.0.0.1 -CAfile "$pki/carrier/ca.pem" "$pki/broker/server.pem"
fails "the broker's certificate is no client's" openssl verify -purpose sslclient -CAfile "$pki/carrier/ca.pem" \
  "$pki/broker/server.pem"
cp "$pki/us.dea/ca.pem" "$work/before.pem"
holds "run again, it adds the agency that is new" "$source_dir/certs/make-demo-pki.sh" "$pki" us.dea us.cbp
holds "and keeps what was there" cmp "$work/before.pem" "$pki/us.dea/ca.pem"
fails "refuses a name that is no agency" "$source_dir/certs/make-demo-pki.sh" "$work/other" ../evil
says "is no agency"

request jrivera P-256
holds "an agency certifies its member" sign "$pki/us.dea" us.dea/jrivera "$work/jrivera.csr" "$work/jrivera.pem"
holds "the certificate is a TLS client's, from that CA" client_of us.dea jrivera
fails "and from no other" client_of mx.fgr jrivera
fails "a member's certificate is no server's" openssl verify -purpose sslserver -CAfile "$pki/us.dea/ca.pem" "$work/jrivera.pem"
holds "it names the member" equal "$(names_in jrivera)" "    URI:valija:us.dea/jrivera"
holds "it holds for a year" openssl x509 -in "$work/jrivera.pem" -noout -checkend $((364 * 86400))
fails "and not for longer" openssl x509 -in "$work/jrivera.pem" -noout -checkend $((366 * 86400))

request liar P-256 URI:valija:us.dea/chief
holds "signs a request that asks for another name" sign "$pki/us.dea" us.dea/liar "$work/liar.csr" "$work/liar.pem"
holds "but believes only its own argument" equal "$(names_in liar)" "    URI:valija:us.dea/liar"
long=us.dea/$(printf 'x%.0s' {1..64})
holds "takes the longest name a member may have" sign "$pki/us.dea" "$long" "$work/jrivera.csr" "$work/long.pem"

fails "refuses a member of another agency" sign "$pki/us.dea" mx.fgr/luna "$work/jrivera.csr" "$work/x.pem"
says "is not of us.dea"
fails "refuses what is no member" sign "$pki/us.dea" 'us.dea/j,URI:valija:mx.fgr/luna' "$work/jrivera.csr" "$work/x.pem"
says "is no member"
request p384 P-384
fails "refuses a key that is not P-256" sign "$pki/us.dea" us.dea/jrivera "$work/p384.csr" "$work/x.pem"
says "P-256"
openssl req -in "$work/jrivera.csr" -outform DER -out "$work/t.der"
printf '\x00' | dd of="$work/t.der" bs=1 seek=$(($(stat -c %s "$work/t.der") - 1)) conv=notrunc status=none
openssl req -inform DER -in "$work/t.der" -out "$work/tampered.csr" 2>/dev/null
fails "refuses a request whose signature is wrong" sign "$pki/us.dea" us.dea/jrivera "$work/tampered.csr" "$work/x.pem"
fails "refuses a file that is no request" sign "$pki/us.dea" us.dea/jrivera "$work/jrivera.key" "$work/x.pem"
fails "refuses a folder without a CA" sign "$work" us.dea/jrivera "$work/jrivera.csr" "$work/x.pem"
fails "refuses an option it does not know" sign "$pki/us.dea" us.dea/jrivera "$work/jrivera.csr" "$work/x.pem" --expird
fails "leaves no certificate after a refusal" test -e "$work/x.pem"

sign "$pki/us.dea" us.dea/jrivera "$work/jrivera.csr" "$work/old.pem" --expired >/dev/null
fails "--expired is expired" client_of us.dea old
says "expired"
sign "$pki/us.dea" us.dea/jrivera "$work/jrivera.csr" "$work/early.pem" --not-yet-valid >/dev/null
fails "--not-yet-valid is not yet valid" client_of us.dea early
says "not yet valid"
sign "$pki/us.dea" us.dea/jrivera "$work/jrivera.csr" "$work/eku.pem" --eku serverAuth >/dev/null
fails "--eku serverAuth is no client's" client_of us.dea eku
sign "$pki/us.dea" mx.fgr/luna "$work/jrivera.csr" "$work/foreign.pem" --foreign >/dev/null
holds "--foreign names another agency's member" equal "$(names_in foreign)" "    URI:valija:mx.fgr/luna"

if git -C "$source_dir" rev-parse --git-dir >/dev/null 2>&1; then
  fails "no private key is committed" git -C "$source_dir" grep -lE '^-----BEGIN [A-Z ]*PRIVATE KEY-----' -- . ':!tests/vectors'
fi

[ $failures = 0 ] || { echo "$failures did not hold"; exit 1; }
echo "all hold"
