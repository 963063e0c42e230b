#!/usr/bin/env bash
# live_world.sh FOLDER BUILD: a world for the tests in C++, its broker stopped. Prints "PORT CHARTER_DIGEST". Beside the
# members' profiles it leaves in FOLDER/attack what an attacker might hold: certificates that must open nothing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/world.sh"
trap 'broker_stop' EXIT
WORLD_CAPS='"epoch-grace-seconds": 1, ' # so that a test can wait for its end
WORLD_SIGNATURES=3 # one of the four can be sent away by the others
world_make "$1" "$2"

world_enrol us.cbp/tom us.cbp/vera --auditor
world_enrol us.cbp/tom us.cbp/gone
world_enrol us.cbp/tom us.cbp/leaving
world_enrol us.cbp/tom us.cbp/paused

mkdir -p "$W/attack"
omar=$W/profiles/mx.fgr/omar/request.csr
sign() { # NAME CA MEMBER REQUEST [options..]
  "$source_dir/certs/sign-csr.sh" "$W/pki/$2" "$3" "$4" "$W/attack/$1.pem" "${@:5}" >/dev/null
}
sign expired mx.fgr mx.fgr/omar "$omar" --expired
sign not-yet-valid mx.fgr mx.fgr/omar "$omar" --not-yet-valid
sign server mx.fgr mx.fgr/omar "$omar" --eku serverAuth
sign foreign us.dea mx.fgr/omar "$omar" --foreign      # another agency's CA names a member of mx.fgr, with his own key
sign carrier carrier mx.fgr/omar "$omar" --foreign     # and so does the carrier's
sign other-member mx.fgr mx.fgr/alicia "$omar"         # the right CA, another member's name, omar's key
sign two-names mx.fgr mx.fgr/omar "$omar" --names URI:valija:mx.fgr/alicia
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=omar \
  -addext 'subjectAltName = URI:valija:mx.fgr/omar' -addext 'extendedKeyUsage = clientAuth' \
  -keyout "$W/attack/self-signed.key" -out "$W/attack/self-signed.pem" 2>/dev/null

# One member may not share a profile between processes: copies for the senders that work at once.
for ((i = 0; i < 4; i++)); do cp -r "$W/profiles/mx.fgr/omar" "$W/profiles/sender-$i"; done
echo "$PORT $CHARTER_DIGEST"
