// HTTP/1.1 from the asking side, small, for what our programs ask of strangers: witnesses, and whoever serves a log.
//
// Nothing that is at the other end, or on the way, can do more than refuse: each call has one time for all of it (looking up,
// connecting, sending, the answer to its last byte), what it receives is counted as it comes, and what is not exactly an
// answer is none. Redirects are not followed, nothing is unpacked. A connection is kept where the answer allows it.
//
// Thread-safety: one thread calls; Abort may be called from any, and does not wait.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace valija::io {

class HttpClient {
 public:
  // "http://host[:port][/prefix]", or https. kUsage. Nothing is called yet.
  static Result<std::unique_ptr<HttpClient>> Make(const std::string& url);
  ~HttpClient();
  bool secure() const;  // https

  struct Limits {
    std::chrono::milliseconds time{10'000};
    std::size_t body = 64 * 1024;  // of an answer
  };
  struct Answer {
    int status = 0;
    std::string type;   // Content-Type, as it was sent
    std::string body;   // as far as the limit
    bool whole = true;  // there was no more of it
  };
  // `path` begins with '/', and comes after the prefix. kUnavailable, with why; kBadCertificate; kShuttingDown: aborted.
  Result<Answer> Get(std::string_view path, const Limits& limits);
  Result<Answer> Post(std::string_view path, std::string_view type, std::string_view body, const Limits& limits);

  void Close();  // the kept connection; by the thread that calls
  void Abort();  // what runs ends at once, and so does every later call

 private:
  struct Impl;
  explicit HttpClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace valija::io
