// The read-only HTTP port: GET and HEAD of whatever a handler answers, over plain HTTP/1.1 (cpp-httplib), for strangers.
//
// Strangers are bounded: each connection has one of a few threads of its own kind, a request has a few seconds and a few
// KiB, an idle connection goes when others wait, and those that find no place are closed at once. A body, or anything else
// that would not be read to its end, ends the connection. Byte ranges are ignored: the answer is whole (200).
//
// Nothing else runs on its threads, and they hold no lock of the broker's while they write to a peer.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "broker/public_log.h"
#include "core/base/result.h"

namespace valija::broker {

class PublicPort {
 public:
  struct Limits {
    unsigned connections = 32;                   // at once, served
    unsigned waiting = 64;                       // accepted, and not served yet; more are closed
    std::size_t head = 8192;                     // bytes of a request: its line and headers
    unsigned requests = 1000;                    // of one connection
    std::chrono::milliseconds idle{15'000};      // between requests
    std::chrono::milliseconds transfer{10'000};  // from a request's first byte to its last, and for the answer the same
  };
  using Handler = std::function<PublicAnswer(std::string_view target)>;  // from any thread; the target as it was sent

  // Binds "HOST:PORT" (port 0: a free one); kBadConfiguration if it cannot be had, with the `setting` that asked for it. Serves
  // from Serve on.
  static Result<std::unique_ptr<PublicPort>> Bind(const std::string& listen, Handler handler, Limits limits,
                                                  const std::string& setting = "public-listen");
  static Result<std::unique_ptr<PublicPort>> Bind(const std::string& listen, Handler handler) {
    return Bind(listen, std::move(handler), Limits());
  }
  ~PublicPort();  // Stop

  int port() const;
  void Serve();
  void Stop();  // cuts what runs

 private:
  struct Impl;
  explicit PublicPort(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace valija::broker
