// What an operator sets. Each member is a flag of `valija-broker` and a line of its configuration file by the same name
// (docs/operations.md lists them).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/crypto/keys.h"

namespace valija::broker {

struct Config {
  std::filesystem::path data;             // the store's folder
  std::filesystem::path high_water;       // the mark's file; best on another disk
  std::filesystem::path keys;             // folder of `init-keys`: log keys, release keys, tls-key, broker.card
  std::filesystem::path tls_certificate;  // PEM; issued by the charter's carrier CA
  std::filesystem::path passphrase_file;  // of the keys; private
  std::string listen = "127.0.0.1:7443";
  std::string public_listen;        // of the read-only HTTP port for everybody; empty: there is none
  std::string metrics_listen;       // of the operator's own HTTP port; empty: there is none
  std::string log_format = "json";  // json or human
  std::filesystem::path log_file;   // empty: standard error
  bool debug = false;
  unsigned workers = 0;                      // threads beside the sequencer's; 0: one per core, at least 2
  unsigned pool_limit = 4096;                // statements waiting for the sequencer
  unsigned batch_limit = 1024;               // statements per commit
  unsigned in_flight_per_member = 64;        // calls at once
  unsigned streams_per_member = 32;          // open streams at once (follow, upload, download, entries)
  unsigned connections = 1024;               // at once (broker/guard); fewer if there are not as many descriptors
  unsigned connections_per_address = 256;    // of them, from one address
  unsigned connections_per_member = 64;      // of them, with one certificate's key
  unsigned handshakes_per_second = 100;      // begun for one address; twice as many after a pause
  unsigned unclaimed_mib_per_member = 8192;  // bodies that a member uploaded and no record names yet
  unsigned min_free_mib = 512;  // on the data folder's disk; below: no bodies, below half of it: no statements; 0: any
  unsigned stop_seconds = 10;   // to finish what runs when asked to stop
  std::vector<std::string> witness_urls;           // NAME=URL, by the names of the charter; before the charter's own
  unsigned witness_wait_seconds = 30;              // at the start, for a quorum of answers
  std::vector<std::string> start_without_witness;  // names; this start goes without their answers. Not in the file
};

// "mx.fgr=http://host:port", each.
std::map<std::string, std::string> UrlsOf(const std::vector<std::string>& witness_urls);
// Everything that can be found wrong before serving: kBadConfiguration with one line per fault.
Status Check(const Config& config);

struct BrokerKeys {
  std::string authority;  // id
  // The first ones, and those that rotations made, in the order of their making. Which is in force, the charter says.
  std::vector<crypto::Ed25519SignKey> log_keys;
  std::vector<crypto::KemPrivateKey> release_keys;
  crypto::Secret tls_key_pem;
  KeyId tls_key_id;
};
// Files of the folder: log-key.pem, log-key-2.pem, ..; release-key.pem, release-key-2.pem, ..; tls-key.pem.
//
// Makes the three key pairs (0600, encrypted), broker.card for the charter, and request.csr for the carrier CA.
Status MakeKeys(const std::filesystem::path& folder, const std::string& authority, const std::string& origin,
                const crypto::Secret& passphrase);
// Makes a further release key, or log key, beside those that are there, and writes it into broker.card for the amendment of
// the charter. The passphrase must be theirs. Returns the new file's path.
enum class Rotated { kLogKey, kReleaseKey };
Result<std::filesystem::path> RotateKey(const std::filesystem::path& folder, Rotated which,
                                        const crypto::Secret& passphrase);
Result<BrokerKeys> LoadKeys(const std::filesystem::path& folder, const crypto::Secret& passphrase);
// The certificate is for these keys: kBadConfiguration, kBadCertificate. Who issued it is the charter's matter.
Status CheckCertificate(const Config& config, const BrokerKeys& keys);

}  // namespace valija::broker
