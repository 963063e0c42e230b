#!/usr/bin/env bash
# sign-csr.sh CA_FOLDER MEMBER REQUEST.pem CERTIFICATE.pem [OPTION ...]: an agency certifies a member's TLS key.
#
# Of the request nothing is believed but the key (P-256, and its holder signed the request): the name is the MEMBER
# given here, as the URI valija:MEMBER. MEMBER is agency/name and must be of the agency that the CA folder is named
# after, or the word broker. The certificate is for TLS clients and holds for one year.
#
#   --days N            holds for N days
#   --eku USAGE         another extended key usage: serverAuth, for the broker
#   --names LIST        more names, as DNS:localhost,IP:127.0.0.1
# For tests of what must be refused:
#   --expired           ended yesterday
#   --not-yet-valid     begins tomorrow
#   --foreign           the member is of another agency than the CA
set -euo pipefail
umask 077

stop() { printf 'sign-csr: %s\n' "$*" >&2; exit 2; }
[ $# -ge 4 ] || stop "usage: sign-csr.sh CA_FOLDER MEMBER REQUEST.pem CERTIFICATE.pem [OPTION ...]"
ca=$1 member=$2 request=$3 certificate=$4
shift 4

from='5 minutes ago' days=365 until='' eku=clientAuth names='' foreign=no
while [ $# -gt 0 ]; do
  case "$1" in
    --days) days=${2:?--days takes a number}; shift ;;
    --eku) eku=${2:?--eku takes a usage}; shift ;;
    --names) names=,${2:?--names takes a list}; shift ;;
    --expired) from='2 days ago' until='1 day ago' ;;
    --not-yet-valid) from='1 day' until='366 days' ;;
    --foreign) foreign=yes ;;
    *) stop "no such option: $1" ;;
  esac
  shift
done
[ -n "$until" ] || until="$days days"

[ -r "$ca/ca.pem" ] && [ -r "$ca/ca.key" ] || stop "no CA in $ca (make-demo-pki.sh makes one)"
agency=$(basename "$(cd "$ca" && pwd)")
if [ "$member" != broker ]; then
  [[ $member =~ ^[a-z]{2}\.[a-z0-9-]{1,32}/[a-z0-9._-]{1,64}$ ]] || stop "'$member' is no member: agency/name, as in us.dea/jrivera"
  [ "${member%%/*}" = "$agency" ] || [ $foreign = yes ] || stop "$member is not of $agency, whose CA this is"
fi
openssl req -in "$request" -noout -text 2>/dev/null | grep -q 'ASN1 OID: prime256v1' ||
  stop "$request is no certificate request with a P-256 key"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/index"
cat >"$work/openssl.cnf" <<CONFIG
[ca]
default_ca = agency
[agency]
database = $work/index
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = none
x509_extensions = leaf
[any]
organizationName = optional
commonName = supplied
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = $eku
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = URI:valija:$member$names
CONFIG
stamp() { date -u -d "$1" +%Y%m%d%H%M%SZ; }
openssl ca -batch -notext -config "$work/openssl.cnf" -cert "$ca/ca.pem" -keyfile "$ca/ca.key" \
  -in "$request" -subj "/O=$agency/CN=${member##*/}" -startdate "$(stamp "$from")" -enddate "$(stamp "$until")" \
  -out "$work/leaf.pem" 2>"$work/log" || stop "$(cat "$work/log")"
cp "$work/leaf.pem" "$certificate"
echo "$member: certificate until $(date -u -d "$until" +%F) in $certificate"
