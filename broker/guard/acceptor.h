// The broker's own listening socket before gRPC's: gRPC gets a connection once its peer has sent a whole TLS ClientHello and
// there is a place for it (admission.h). Until then a connection is a descriptor and a few bytes of ours, which a peer that
// says nothing, or something else, loses after seconds, or at once when others need it.
//
// Some descriptors are kept for the rest of the broker; when the process has none left all the same, who connects is turned
// away instead of waiting in the socket's queue for ever (CVE-2023-4785).
#pragma once

#include <grpcpp/server_builder.h>

#include <memory>
#include <string>

#include "broker/guard/admission.h"
#include "core/base/result.h"

namespace valija::broker::guard {

struct Limits {
  AdmissionLimits admission;
  FrameLimits frames;
  unsigned waiting = 512;                    // connections before their ClientHello, or before there is a place
  unsigned waiting_per_address = 64;         // above either, the one that waits longest goes
  std::chrono::milliseconds hello{5'000};    // from its beginning to a whole ClientHello
  std::chrono::milliseconds place{10'000};   // from its beginning to a place
  std::chrono::milliseconds unread{20'000};  // while something is sent to a peer and it takes nothing
};

// Raises the process' soft limit of descriptors to the hard one, and cuts `limits` to what there is then, but for those that
// the rest of the broker needs. kBadConfiguration: too few for anything.
Status FitDescriptors(Limits& limits);

class Acceptor {
 public:
  // Binds "HOST:PORT" (port 0: a free one); kBadConfiguration if it cannot be had. Nothing is accepted before Serve.
  static Result<std::unique_ptr<Acceptor>> Bind(const std::string& listen, const Limits& limits);
  ~Acceptor();  // Stop
  int port() const;
  const Admission& admission() const;
  // The connection from there, as gRPC spells it, at once and with all that waits to be sent. False: there is none.
  bool End(const std::string& peer);

  using Grpc = grpc::experimental::ExternalConnectionAcceptor;
  void Serve(std::unique_ptr<Grpc> grpc);  // of a server that has been started
  void Stop();                             // before that server's end; what gRPC has stays gRPC's

 private:
  struct Impl;
  explicit Acceptor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace valija::broker::guard
