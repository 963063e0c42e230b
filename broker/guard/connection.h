// How the guard gets to see what a peer sent and is sent: this program's own SSL_read and SSL_write, which gRPC's library
// calls instead of OpenSSL's, as the dynamic linker asks the program first. They call OpenSSL's, and count the plain bytes of
// connections that the acceptor handed over. A breach fails the read or the write, and gRPC closes the connection.
//
// That depends on how gRPC and OpenSSL are linked. Whether it works is not assumed but tried at each start
// (broker/guard/self_test.h).
#pragma once

#include <memory>

#include "broker/guard/admission.h"
#include "broker/guard/frames.h"

namespace valija::broker::guard {

class Connection;

// While it lives, the next SSL that this thread makes belongs to this place.
class Adoption {
 public:
  Adoption(std::shared_ptr<Admission> admission, std::unique_ptr<Admission::Place> place, const FrameLimits& limits);
  ~Adoption();
  Adoption(const Adoption&) = delete;
};

// Links the interposed functions into the program, and readies what they need: call once before the first SSL is made.
// False: they cannot work.
bool Ready();

}  // namespace valija::broker::guard
