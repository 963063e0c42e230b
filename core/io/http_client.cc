#include "core/io/http_client.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>

#include "core/io/connection.h"

namespace valija::io {
namespace {

constexpr std::size_t kMostHead = 32 * 1024;    // of an answer's head, with interim answers
constexpr std::size_t kMostAround = 64 * 1024;  // of all that is not the body
constexpr std::size_t kBlock = 16 * 1024;

Error NoAnswer(const char* why) {
  return Refuse(Reason::kUnavailable, std::string("it does not answer as HTTP: ") + why);
}

bool IsDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool Same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (Lower(c) >= 'a' && Lower(c) <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// Of a list, "a, b".
bool Names(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    if (Same(Trim(list.substr(0, end)), word)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// Where an URL points. The host is without brackets; `authority` is as it stood there.
struct Place {
  bool secure = false;
  std::string authority, host, port, prefix;
};

std::optional<Place> PlaceOf(std::string_view url) {
  Place out;
  if (!std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7f; })) return std::nullopt;
  if (url.find_first_of("?#@\\") != std::string_view::npos) return std::nullopt;
  if (url.starts_with("https://"))
    out.secure = true;
  else if (!url.starts_with("http://"))
    return std::nullopt;
  url.remove_prefix(out.secure ? 8 : 7);
  const auto slash = std::min(url.find('/'), url.size());
  out.authority = url.substr(0, slash);
  out.prefix = url.substr(slash);
  while (out.prefix.ends_with('/')) out.prefix.pop_back();
  std::string_view rest = out.authority;
  if (rest.starts_with('[')) {
    const auto end = rest.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    out.host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  } else {
    const auto colon = std::min(rest.find(':'), rest.size());
    out.host = rest.substr(0, colon);
    rest.remove_prefix(colon);
  }
  out.port = out.secure ? "443" : "80";
  if (!rest.empty()) {
    if (rest.front() != ':' || !IsDigits(rest.substr(1)) || rest.size() > 6) return std::nullopt;
    out.port = rest.substr(1);
    if (std::stoul(out.port) == 0 || std::stoul(out.port) > 65535) return std::nullopt;
  }
  if (out.host.empty()) return std::nullopt;
  return out;
}

// One answer, as it comes.
class Reader {
 public:
  Reader(Connection& connection, const Patience& patience, std::size_t limit)
      : connection_(connection), patience_(patience), limit_(limit) {}

  Result<HttpClient::Answer> Read() {
    do {
      TRY_OK(Head());
      if (answer_.status == 101) return NoAnswer("another protocol, unasked for");
    } while (answer_.status < 200);  // an interim answer: the next one counts
    TRY_OK(Body());
    reusable_ = reusable_ && answer_.whole && begin_ == end_;  // what came behind the answer was not asked for
    return std::move(answer_);
  }
  bool anything() const { return received_ != 0; }
  bool reusable() const { return reusable_; }

 private:
  // More into the block, which is empty. false: the peer ended.
  Result<bool> More() {
    if (received_ >= limit_ + kMostAround) return NoAnswer("more of it than an answer has");
    begin_ = end_ = 0;
    block_.resize(kBlock);
    TRY(const auto got, connection_.Receive(block_, patience_));
    received_ += got;
    end_ = got;
    return got != 0;
  }

  // A line without its end, CR LF.
  Result<std::string> Line() {
    for (std::string line;;) {
      if (begin_ == end_) {
        TRY(const bool more, More());
        if (!more) return NoAnswer("it ends in the middle");
      }
      const char c = static_cast<char>(block_[begin_++]);
      if (++head_ > kMostHead) return NoAnswer("a head that is too long");
      if (c == '\n') {
        if (!line.ends_with('\r')) return NoAnswer("a line that ends otherwise than in CR LF");
        line.pop_back();
        return line;
      }
      if (line.ends_with('\r') || (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r') || c == 0x7f)
        return NoAnswer("a control character");
      line += c;
    }
  }

  Status Head() {
    answer_ = {};
    length_.reset();
    chunked_ = false;
    TRY(const auto first, Line());
    const bool newer = first.starts_with("HTTP/1.1 ");
    if (!newer && !first.starts_with("HTTP/1.0 ")) return NoAnswer("no status line");
    const auto code = std::string_view(first).substr(9, 3);
    if (code.size() != 3 || !IsDigits(code) || code[0] < '1' || code[0] > '5' ||
        (first.size() > 12 && first[12] != ' '))
      return NoAnswer("no status line");
    answer_.status = std::stoi(std::string(code));
    reusable_ = newer;
    bool typed = false, coded = false;
    for (;;) {
      TRY(const auto line, Line());
      if (line.empty()) break;
      const auto colon = std::min(line.find(':'), line.size());
      const auto name = std::string_view(line).substr(0, colon);
      if (colon == line.size() || !IsToken(name)) return NoAnswer("a line that is no header");
      const auto value = Trim(std::string_view(line).substr(colon + 1));
      if (Same(name, "Content-Length")) {
        if (length_ || !IsDigits(value) || value.size() > 18) return NoAnswer("its length is no number");
        length_ = std::stoull(std::string(value));
      } else if (Same(name, "Transfer-Encoding")) {
        if (coded || !newer || !Same(value, "chunked")) return NoAnswer("a transfer encoding that was not asked for");
        coded = chunked_ = true;
      } else if (Same(name, "Content-Type") && !typed) {
        answer_.type = value;
        typed = true;
      } else if (Same(name, "Connection") && Names(value, "close")) {
        reusable_ = false;
      }
    }
    if (length_ && chunked_) return NoAnswer("two lengths");
    return Ok();
  }

  Status Body() {
    if (answer_.status == 204 || answer_.status == 304) return Ok();
    if (chunked_) return Chunks();
    if (length_) {
      TRY(const bool within, Take(*length_));
      (void)within;
      return Ok();
    }
    reusable_ = false;  // it ends with the connection
    for (;;) {
      if (begin_ == end_) {
        TRY(const bool more, More());
        if (!more) return Ok();
      }
      TRY(const bool within, Take(end_ - begin_));
      if (!within) return Ok();
    }
  }

  // As many bytes of the body; false: above the limit, where it is cut.
  Result<bool> Take(std::uint64_t count) {
    while (count != 0) {
      if (answer_.body.size() == limit_) {
        answer_.whole = false;
        return false;
      }
      if (begin_ == end_) {
        TRY(const bool more, More());
        if (!more) return NoAnswer("it ends in the middle");
      }
      const auto part = std::min<std::uint64_t>({count, end_ - begin_, limit_ - answer_.body.size()});
      answer_.body.append(reinterpret_cast<const char*>(block_.data()) + begin_, part);
      begin_ += part;
      count -= part;
    }
    return true;
  }

  Status Chunks() {
    for (;;) {
      head_ = 0;
      TRY(const auto line, Line());
      const auto digits = Trim(std::string_view(line).substr(0, line.find(';')));
      if (digits.empty() || digits.size() > 8 ||
          digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos)
        return NoAnswer("a chunk without its length");
      const auto size = std::stoull(std::string(digits), nullptr, 16);
      if (size == 0) break;
      TRY(const bool within, Take(size));
      if (!within) return Ok();
      TRY(const auto end, Line());
      if (!end.empty()) return NoAnswer("a chunk that is longer than it says");
    }
    for (head_ = 0;;) {
      TRY(const auto trailer, Line());
      if (trailer.empty()) return Ok();
    }
  }

  Connection& connection_;
  const Patience& patience_;
  const std::size_t limit_;
  Bytes block_;
  std::size_t begin_ = 0, end_ = 0;  // of what the block still holds
  std::size_t received_ = 0, head_ = 0;
  std::optional<std::uint64_t> length_;
  bool chunked_ = false, reusable_ = false;
  HttpClient::Answer answer_;
};

}  // namespace

struct HttpClient::Impl {
  explicit Impl(Place where) : place(std::move(where)), stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (stop.get() < 0) throw std::system_error(errno, std::system_category(), "eventfd");
  }
  const Place place;
  const Descriptor stop;
  Resolver resolver;
  std::unique_ptr<Connection> kept;

  Result<Answer> Call(const std::string& request, const Limits& limits) {
    const Patience patience(limits.time, stop.get());
    for (;;) {
      const bool again = kept && kept->Idle();
      auto connection = std::move(kept);
      if (!again) {
        TRY(const auto addresses, resolver.Find(place.host, place.port, patience));
        TRY(connection, Connection::Open(addresses, place.secure ? std::optional(place.host) : std::nullopt, patience));
      }
      Reader reader(*connection, patience, limits.body);
      auto sent = connection->Send(AsBytes(request), patience);
      auto answer = reader.Read();  // also where not all was taken: whoever refuses may say why before
      if (answer) {
        if (sent && reader.reusable()) kept = std::move(connection);
        return answer;
      }
      // A kept connection may have ended while nobody looked: once more over a new one. What we ask for may be asked twice.
      if (!again || reader.anything() || answer.error().reason == Reason::kShuttingDown ||
          patience.left() == std::chrono::milliseconds(0))
        return sent ? answer.error() : sent.error();
    }
  }

  std::string HeadOf(std::string_view method, std::string_view path) const {
    return std::string(method) + " " + place.prefix + std::string(path) + " HTTP/1.1\r\nHost: " + place.authority +
           "\r\nUser-Agent: valija\r\nAccept: */*\r\n";
  }
};

HttpClient::HttpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpClient::~HttpClient() = default;
bool HttpClient::secure() const { return impl_->place.secure; }

Result<std::unique_ptr<HttpClient>> HttpClient::Make(const std::string& url) {
  auto place = PlaceOf(url);
  if (!place) return Refuse(Reason::kUsage, "the URL " + url + " cannot be used");
  return std::unique_ptr<HttpClient>(new HttpClient(std::make_unique<Impl>(*std::move(place))));
}

Result<HttpClient::Answer> HttpClient::Get(std::string_view path, const Limits& limits) {
  return impl_->Call(impl_->HeadOf("GET", path) + "\r\n", limits);
}

Result<HttpClient::Answer> HttpClient::Post(std::string_view path, std::string_view type, std::string_view body,
                                            const Limits& limits) {
  return impl_->Call(impl_->HeadOf("POST", path) + "Content-Type: " + std::string(type) +
                         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body),
                     limits);
}

void HttpClient::Close() { impl_->kept.reset(); }

void HttpClient::Abort() { (void)::eventfd_write(impl_->stop.get(), 1); }

}  // namespace valija::io
