// A log of entries that were never decided, for whoever does not look behind the commitments.
#pragma once

#include <gtest/gtest.h>

#include "core/log/tree.h"
#include "tests/broker/support/broker_world.h"
#include "tests/broker/support/memory_journal.h"

namespace valija::test {

struct BareLog {
  MemoryJournal journal;
  BrokerWorld world;
  log::Tree tree;
  std::vector<Bytes> all;  // entries, serialised
  std::vector<Commitment> commitments;

  void Grow(std::uint64_t size) {
    broker::JournalWrite write;
    write.first = tree.size();
    while (tree.size() < size) {
      proto::LoggedEntry entry;
      entry.commitment = world.random.Make<Commitment>();
      if (tree.size() % 3 == 0) entry.salt = world.random.Make<Salt>();
      write.entries.push_back(proto::EncodeLoggedEntry(entry));
      all.push_back(write.entries.back());
      commitments.push_back(entry.commitment);
      tree.Append(ledger::EntryLeaf(entry.commitment));
    }
    write.tiles = tree.TakeChangedTiles();
    ASSERT_TRUE(journal.Append(write));
  }
  log::SignedCheckpoint Sign() const {
    return log::SignedCheckpoint::Sign({BrokerWorld::kOrigin, tree.size(), tree.Root()}, world.log_key);
  }
  // The same key, another history.
  void ForkOf(const BareLog& other) {
    world.log_key = crypto::Ed25519SignKey::FromSeed(other.world.log_key.Seed().view()).value();
  }
};

}  // namespace valija::test
