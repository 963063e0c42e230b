// Who has a place at gRPC: how many connections, from one address, of one certificate and in all, and how many of them are
// in a handshake. What does not find a place is not begun with.
//
// A connection counts as in its handshake until its first byte of HTTP/2 is there: who has no certificate that opens
// never comes so far.
//
// A handshake that takes long goes when another waits for its place; so does, anyway, a connection whose peer does not take what
// is sent to it: gRPC would keep it, and all that waits to be sent, for ever.
//
// Thread-safe. A Place may outlive whoever asked for it, not the Admission's owner's last reference: it keeps its own.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "broker/guard/frames.h"
#include "core/base/bytes.h"
#include "core/crypto/keys.h"

struct sockaddr;

namespace valija::broker::guard {

// Where a peer comes from. Of IPv6 the first half: whoever has one address of it has them all.
using Address = std::array<std::uint8_t, 16>;
Address AddressOf(const sockaddr* address);
std::string TextOf(const Address& address);
std::string PeerText(const sockaddr* address);  // as gRPC spells it, but for "[" and "]", which it may encode

struct AdmissionLimits {
  unsigned connections = 1024;
  unsigned connections_per_address = 256;
  unsigned connections_per_member = 64;  // by the key of its certificate
  unsigned handshakes = 256;
  unsigned handshakes_per_address = 8;
  unsigned handshakes_per_second = 100;  // from one address; twice as many after a pause
  // Bytes of unfinished messages. Above the first, a member that keeps more than the second loses the connection that
  // brings more of them; above twice the first, everybody does.
  std::uint64_t unfinished = std::uint64_t{64} << 20;
  std::uint64_t unfinished_per_member = std::uint64_t{16} << 20;
  bool said = true;  // in the operations log
};

class Admission : public std::enable_shared_from_this<Admission> {
  struct Held {  // by the connections of one certificate
    unsigned connections = 0;
    std::atomic<std::uint64_t> unfinished{0};
  };

 public:
  explicit Admission(const AdmissionLimits& limits) : limits_(limits) {}

  class Place {  // one connection's; given back with this object
   public:
    Place(std::shared_ptr<Admission> of, const Address& address, TimePoint now)
        : of_(std::move(of)), address_(address), since_(now) {}
    ~Place();
    Place(const Place&) = delete;
    // What EndOldestHandshake and EndUnread look at. gRPC's descriptor may be another connection's any time: the socket is
    // known by its cookie.
    void Watch(int connection);
    void Opened();                         // the handshake is over
    bool BelongsTo(const KeyId& key);      // once; false: that one has too many
    bool Keeps(std::uint64_t unfinished);  // false: it is too much
    const Address& address() const { return address_; }

   private:
    friend class Admission;
    const std::shared_ptr<Admission> of_;
    const Address address_;
    const TimePoint since_;
    int socket_ = -1;
    std::uint64_t cookie_ = 0;
    std::string peer_;
    std::uint64_t taken_ = 0;  // by the peer, of what was sent; and when that was last more than before
    TimePoint taken_at_;
    bool open_ = false, ended_ = false;
    std::optional<KeyId> key_;
    std::shared_ptr<Held> held_ = std::make_shared<Held>();
    std::uint64_t unfinished_ = 0;
  };

  // Null: there is none now.
  std::unique_ptr<Place> Enter(const Address& address, TimePoint now);
  // Of those that have taken a second and more; false: there is none.
  bool EndOldestHandshake(TimePoint now);
  // Those whose peers have taken nothing for so long, with something there to take; how many, and where one of them is.
  std::size_t EndUnread(TimePoint now, std::chrono::milliseconds patience, std::string* example);
  // The one with this peer, as gRPC spells it ("ipv4:192.0.2.1:4711"). False: there is none.
  bool End(std::string peer);
  // Called whenever a place, or a handshake's, has become free; from any thread, and not after OnFree({}) has returned.
  void OnFree(std::function<void()> freed);

  // A connection was cut. True: say so in the log; what was not said before counts in `unsaid`.
  bool Cut(Breach breach, TimePoint now, std::uint64_t* unsaid);

  struct Counts {
    std::uint64_t connections = 0, handshakes = 0;  // now
    std::uint64_t address_full = 0;                 // ever: asked for, and that address had all of its own
    std::array<std::uint64_t, kBreaches> cut{};     // ever
  };
  Counts counts() const;

 private:
  struct FromAddress {
    unsigned connections = 0, handshakes = 0;
    double tokens = 0;
    TimePoint filled{};
  };
  void Sweep(TimePoint now);
  void Freed();

  const AdmissionLimits limits_;
  mutable std::mutex mutex_;
  std::map<Address, FromAddress> addresses_;
  std::map<KeyId, std::shared_ptr<Held>> members_;
  std::set<std::pair<TimePoint, Place*>> watched_;  // in the order of their coming
  unsigned connections_ = 0, handshakes_ = 0;
  std::uint64_t address_full_ = 0;
  std::atomic<std::uint64_t> unfinished_{0};
  std::array<std::uint64_t, kBreaches> cut_{}, unsaid_{};
  std::array<TimePoint, kBreaches> said_{};
  std::mutex freed_mutex_;
  std::function<void()> freed_;
};

}  // namespace valija::broker::guard
