// Where secrets lie. OpenSSL's secure heap: one piece of memory for the process, locked so that it is never swapped, left out of
// core dumps, between guard pages, and wiped piece by piece as it is given back. `Secret` and OpenSSL's private keys use it.
#pragma once

namespace valija::crypto {

// First thing in a process, before any key is there; a program without it (another one that uses the library) keeps secrets on the
// ordinary heap, wiped all the same. False: there is such memory, but the system did not let it be locked (RLIMIT_MEMLOCK).
bool LockSecretMemory();
// What it said, and again false where it was never called. Thread-safe.
bool SecretMemoryIsLocked();

}  // namespace valija::crypto
