// From options to a session: opens the profile, asks for the passphrase, makes the transport.
#pragma once

#include "client/session.h"

namespace valija::client {

Result<std::unique_ptr<SessionCore>> OpenSession(const SessionOptions& options);

// The passphrase from the file, or asked for on the terminal when there is none.
Result<crypto::Secret> Passphrase(const std::filesystem::path& file, bool twice);

}  // namespace valija::client
