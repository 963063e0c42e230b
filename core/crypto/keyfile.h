// Private keys at rest: PKCS#8 PEM (RFC 5958, RFC 7468), "ENCRYPTED PRIVATE KEY" under PBES2 (RFC 8018) with scrypt
// (RFC 7914; N=2^14 r=8 p=2) and AES-256-CBC, so that `openssl pkey` reads them too. The work is that of N=2^15 p=1,
// which OpenSSL 3.0 refuses to read: it allows scrypt 32 MiB, and N=2^15 r=8 takes a little more.
// Reading takes any PBES2 file (also the PBKDF2 ones that `openssl pkey -aes256` writes), and no older scheme.
// Text only; files are core/io's.
//
// Thread-safety: free functions without state. One scrypt takes 16 MiB and some 0.1 s.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/crypto/keys.h"

namespace valija::crypto {

// The empty passphrase writes and reads an unencrypted "PRIVATE KEY" (TLS keys of servers whose operator
// chose so); the caller decides whether it allows that, and wipes the text (WipeText). A passphrase does not read an
// unencrypted file (kBadPassphrase): whoever gives one expects it to matter.
std::string EncryptEcKey(const Secret& scalar, const Secret& passphrase);  // P-256; throws on a scalar out of range
Result<Secret> DecryptEcKey(std::string_view pem,
                            const Secret& passphrase);  // the 32-byte scalar; kBadPassphrase, kMalformed
std::string EncryptEd25519Key(const Secret& seed, const Secret& passphrase);
Result<Secret> DecryptEd25519Key(std::string_view pem, const Secret& passphrase);  // the 32-byte seed
// The same key as an unencrypted PEM in wiped memory, for gRPC's TLS credentials.
Secret PlainEcPem(const Secret& scalar);

}  // namespace valija::crypto
