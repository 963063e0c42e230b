// Private keys at rest: PKCS#8 PEM ("ENCRYPTED PRIVATE KEY", PBES2: scrypt N=2^15 r=8 p=1, AES-256-CBC), so that
// `openssl pkey` reads them too. Text only; files are core/io's.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/crypto/keys.h"

namespace valija::crypto {

// The empty passphrase writes and reads an unencrypted "PRIVATE KEY" (TLS keys of servers whose operator
// chose so); the caller decides whether it allows that.
std::string EncryptEcKey(const Secret& scalar, const Secret& passphrase);          // P-256
Result<Secret> DecryptEcKey(std::string_view pem, const Secret& passphrase);       // the 32-byte scalar; kBadPassphrase, kMalformed
std::string EncryptEd25519Key(const Secret& seed, const Secret& passphrase);
Result<Secret> DecryptEd25519Key(std::string_view pem, const Secret& passphrase);  // the 32-byte seed
// The same key as an unencrypted PEM in wiped memory, for gRPC's TLS credentials.
Secret PlainEcPem(const Secret& scalar);

}  // namespace valija::crypto
