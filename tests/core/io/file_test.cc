#include "core/io/file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "tests/core/io/temp_folder.h"

namespace valija::io {
namespace {

// Runs it in a process of its own; true if it returned true there.
bool InChild(const std::function<bool()>& body) {
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) ::_exit(body() ? 0 : 1);
  int state = 0;
  while (::waitpid(child, &state, 0) < 0) {
  }
  return WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

class Files : public TempFolder {
 protected:
  fs::path Put(const std::string& name, std::string_view text, unsigned mode = 0600) {
    const fs::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    Must(::chmod(path.c_str(), static_cast<mode_t>(mode)) == 0);
    return path;
  }
  static void Must(bool done) { ASSERT_TRUE(done); }
  static unsigned ModeOf(const fs::path& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  }
  std::size_t Entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  template <class T>
  static void ExpectRefused(const Result<T>& result, Reason reason) {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(CodeOf(result.error().reason), CodeOf(reason)) << result.error().Message();
  }
};

// ---- Reading ----

TEST_F(Files, ReadsAFileAsItIs) {
  const std::string text("a\0b\xff\n", 5);
  const auto path = Put("a", text);
  EXPECT_EQ(ReadFile(path).value(), ToBytes(AsBytes(text)));
  EXPECT_EQ(ReadText(path).value(), text);
  EXPECT_TRUE(ReadFile(Put("empty", "")).value().empty());
}

TEST_F(Files, ReadsUpToTheLimitAndNoFurther) {
  const auto path = Put("a", std::string(10'000, 'x'));
  EXPECT_EQ(ReadFile(path, 10'000).value().size(), 10'000U);
  ExpectRefused(ReadFile(path, 9'999), Reason::kTooLarge);
  ExpectRefused(ReadText(path, 0), Reason::kTooLarge);
}

TEST_F(Files, ReadsAPipeWhichHasNoSize) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string text(100'000, 'p');
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t put = ::write(ends[1], text.data() + done, text.size() - done);
      if (put < 0) ::_exit(1);
      done += static_cast<std::size_t>(put);
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  const std::string name = "/dev/fd/" + std::to_string(ends[0]);
  EXPECT_EQ(ReadText(name).value(), std::string(100'000, 'p'));
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  EXPECT_GT(ReadText("/proc/self/status").value().size(), 100U);
  ExpectRefused(ReadText("/proc/self/status", 100), Reason::kTooLarge);
  ExpectRefused(ReadFile("/dev/zero", 10'000), Reason::kTooLarge);
}

TEST_F(Files, SaysWhatCannotBeRead) {
  ExpectRefused(ReadFile(folder_ / "none"), Reason::kFile);
  ExpectRefused(ReadFile(folder_), Reason::kFile);
  ExpectRefused(ReadFile(Put("a", "") / "below"), Reason::kFile);
  EXPECT_NE(ReadFile(folder_ / "none").error().detail.find("none: No such file"), std::string::npos);
}

// ---- Writing ----

TEST_F(Files, WritesAndReplacesAFileWithItsMode) {
  const auto path = folder_ / "a";
  const mode_t before = ::umask(022);
  ASSERT_TRUE(WriteFileAtomic(path, AsBytes("one"), 0666).has_value());
  ::umask(before);
  EXPECT_EQ(ModeOf(path), 0644U);
  ASSERT_TRUE(WriteFileAtomic(path, AsBytes("two"), 0600).has_value());
  EXPECT_EQ(ModeOf(path), 0600U);
  EXPECT_EQ(ReadText(path).value(), "two");
  ASSERT_TRUE(WriteFileAtomic(path, {}).has_value());
  EXPECT_EQ(ReadText(path).value(), "");
  EXPECT_EQ(Entries(), 1U);
}

TEST_F(Files, ReplacesASymbolicLinkAndNotItsTarget) {
  const auto target = Put("target", "kept");
  fs::create_symlink(target, folder_ / "link");
  ASSERT_TRUE(WriteFileAtomic(folder_ / "link", AsBytes("new")).has_value());
  EXPECT_EQ(ReadText(target).value(), "kept");
  EXPECT_FALSE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(ReadText(folder_ / "link").value(), "new");
}

TEST_F(Files, AReaderSeesTheOldOrTheNewAndNeverHalf) {
  const auto path = folder_ / "a";
  const std::string one(300'000, '1'), two(400'000, '2');
  ASSERT_TRUE(WriteFileAtomic(path, AsBytes(one)).has_value());
  const pid_t child = ::fork();
  if (child == 0) {
    for (int i = 0; i < 60; ++i) {
      if (!WriteFileAtomic(path, AsBytes(i % 2 == 0 ? two : one))) ::_exit(1);
    }
    ::_exit(0);
  }
  int state = 0, reads = 0;
  while (::waitpid(child, &state, WNOHANG) == 0 || reads == 0) {
    const std::string text = ReadText(path).value();
    ASSERT_TRUE(text == one || text == two) << text.size();
    ++reads;
  }
  EXPECT_EQ(state, 0);
}

// The disk is full, or as here the file too large: what was there stays, and nothing is left beside it.
TEST_F(Files, AWriteThatFailsLeavesTheOldFileAndNoOther) {
  const auto path = Put("a", "old");
  EXPECT_TRUE(InChild([&] {
    const struct rlimit small = {4096, 4096};
    ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &small);
    const auto replaced = WriteFileAtomic(path, Bytes(100'000));
    const auto added = WriteNewFile(folder_ / "b", Bytes(100'000));
    return !replaced && replaced.error().reason == Reason::kFile && !added && added.error().reason == Reason::kFile;
  }));
  EXPECT_EQ(ReadText(path).value(), "old");
  EXPECT_EQ(Entries(), 1U);
}

TEST_F(Files, SaysWhatCannotBeWritten) {
  ExpectRefused(WriteFileAtomic(folder_ / "none" / "a", {}), Reason::kFile);
  fs::create_directory(folder_ / "d");
  ExpectRefused(WriteFileAtomic(folder_ / "d", AsBytes("x")), Reason::kFile);
  EXPECT_EQ(Entries(), 1U);
}

TEST_F(Files, ANewFileNeverReplacesAnything) {
  ASSERT_TRUE(WriteNewFile(folder_ / "a", AsBytes("one"), 0600).has_value());
  EXPECT_EQ(ModeOf(folder_ / "a"), 0600U);
  ExpectRefused(WriteNewFile(folder_ / "a", AsBytes("two")), Reason::kExists);
  EXPECT_EQ(ReadText(folder_ / "a").value(), "one");
  // Nor through a link to nowhere, which a plain open would create the target of.
  fs::create_symlink(folder_ / "nowhere", folder_ / "link");
  ExpectRefused(WriteNewFile(folder_ / "link", AsBytes("x")), Reason::kExists);
  EXPECT_FALSE(fs::exists(folder_ / "nowhere"));
  ExpectRefused(WriteNewFile(folder_, AsBytes("x")), Reason::kExists);
  EXPECT_EQ(Entries(), 2U);
}

// ---- Private files and folders ----

TEST_F(Files, ReadsAPrivateFileOfItsOwner) {
  EXPECT_EQ(AsText(ReadPrivateFile(Put("a", "secret\n", 0600)).value().view()), "secret\n");
  EXPECT_EQ(AsText(ReadPrivateFile(Put("b", "secret\n", 0400)).value().view()), "secret\n");
  EXPECT_TRUE(ReadPrivateFile(Put("empty", "")).value().empty());
  ExpectRefused(ReadPrivateFile(Put("c", "12345"), 4), Reason::kTooLarge);
  ExpectRefused(ReadPrivateFile(folder_ / "none"), Reason::kFile);
}

TEST_F(Files, RefusesASecretThatGroupOrOthersMayTouch) {
  for (unsigned mode : {0644U, 0640U, 0604U, 0620U, 0602U, 0610U, 0601U, 0666U, 0777U})
    ExpectRefused(ReadPrivateFile(Put("a", "secret", mode)), Reason::kUnsafeFile);
}

TEST_F(Files, RefusesASecretThroughASymbolicLink) {
  const auto target = Put("target", "secret");
  fs::create_symlink(target, folder_ / "link");
  ExpectRefused(ReadPrivateFile(folder_ / "link"), Reason::kUnsafeFile);
  fs::create_symlink(folder_ / "none", folder_ / "dangling");
  ExpectRefused(ReadPrivateFile(folder_ / "dangling"), Reason::kUnsafeFile);
}

TEST_F(Files, RefusesASecretThatIsNoRegularFile) {
  ExpectRefused(ReadPrivateFile(folder_), Reason::kUnsafeFile);
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  ExpectRefused(ReadPrivateFile(folder_ / "pipe"), Reason::kUnsafeFile);  // and does not wait for a writer
}

TEST_F(Files, RefusesASecretOrAFolderOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const auto path = Put("a", "secret");
  fs::create_directory(folder_ / "d");
  fs::permissions(folder_ / "d", fs::perms::owner_all);
  ASSERT_TRUE(MakePrivateDirectory(folder_ / "d").has_value());
  ASSERT_EQ(::chown(path.c_str(), 12345, 12345), 0);
  ASSERT_EQ(::chown((folder_ / "d").c_str(), 12345, 12345), 0);
  ExpectRefused(ReadPrivateFile(path), Reason::kUnsafeFile);
  ExpectRefused(MakePrivateDirectory(folder_ / "d"), Reason::kUnsafeFile);
}

TEST_F(Files, MakesAPrivateFolderWithItsParents) {
  ASSERT_TRUE(MakePrivateDirectory(folder_ / "a" / "b" / "c" / "").has_value());
  for (const char* name : {"a", "a/b", "a/b/c"}) EXPECT_EQ(ModeOf(folder_ / name), 0700U) << name;
  EXPECT_TRUE(MakePrivateDirectory(folder_ / "a/b/c").has_value()) << "again";
  // A parent that stands there is not touched.
  fs::create_directory(folder_ / "open");
  ASSERT_EQ(::chmod((folder_ / "open").c_str(), 0755), 0);
  EXPECT_TRUE(MakePrivateDirectory(folder_ / "open" / "x").has_value());
  EXPECT_EQ(ModeOf(folder_ / "open"), 0755U);
}

TEST_F(Files, RefusesAFolderThatOthersMayEnter) {
  for (unsigned mode : {0755U, 0750U, 0710U, 0701U, 0777U}) {
    fs::create_directory(folder_ / "d");
    ASSERT_EQ(::chmod((folder_ / "d").c_str(), static_cast<mode_t>(mode)), 0);
    ExpectRefused(MakePrivateDirectory(folder_ / "d"), Reason::kUnsafeFile);
    EXPECT_EQ(ModeOf(folder_ / "d"), mode) << "left as it is";
  }
  ExpectRefused(MakePrivateDirectory(Put("f", "")), Reason::kUnsafeFile);
  ASSERT_TRUE(MakePrivateDirectory(folder_ / "p").has_value());
  fs::create_directory_symlink(folder_ / "p", folder_ / "link");
  ExpectRefused(MakePrivateDirectory(folder_ / "link"), Reason::kUnsafeFile);
  ExpectRefused(MakePrivateDirectory(folder_ / "f" / "below"), Reason::kFile);
  ExpectRefused(MakePrivateDirectory(""), Reason::kFile);
}

// ---- Locks ----

TEST_F(Files, ALockIsOfOneProcessAtATime) {
  const auto path = folder_ / "lock";
  auto free = [&] { return InChild([&] { return FileLock::Take(path).has_value(); }); };
  {
    auto lock = FileLock::Take(path);
    ASSERT_TRUE(lock.has_value());
    EXPECT_TRUE(InChild([&] {
      auto second = FileLock::Take(path);
      return !second && second.error().reason == Reason::kLocked;
    }));
    ExpectRefused(FileLock::Take(path), Reason::kLocked);
    FileLock moved = std::move(*lock);
    EXPECT_FALSE(free());
  }
  EXPECT_TRUE(free());
  EXPECT_EQ(ModeOf(path), 0600U);
  ExpectRefused(FileLock::Take(folder_ / "none" / "lock"), Reason::kFile);
}

TEST_F(Files, ALockEndsWithItsProcess) {
  const auto path = folder_ / "lock";
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto lock = FileLock::Take(path);
    if (::write(ready[1], lock ? "y" : "n", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  ExpectRefused(FileLock::Take(path), Reason::kLocked);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(FileLock::Take(path).has_value());
  ::close(ready[0]);
  ::close(ready[1]);
}

// ---- Passphrase files ----

TEST_F(Files, APassphraseFileGivesItsFirstLine) {
  for (const char* text : {"correct horse", "correct horse\n", "correct horse\r\n", "correct horse\nmore\n"})
    EXPECT_EQ(AsText(ReadPassphraseFile(Put("p", text)).value().view()), "correct horse") << text;
  EXPECT_EQ(AsText(ReadPassphraseFile(Put("p", " sp \n")).value().view()), " sp ");
  for (const char* text : {"", "\n", "\r\n", "\nsecond\n"})
    ExpectRefused(ReadPassphraseFile(Put("p", text)), Reason::kBadPassphrase);
  ExpectRefused(ReadPassphraseFile(Put("p", "x", 0640)), Reason::kUnsafeFile);
}

// ---- The process ----

TEST(Process, IsHardened) {
  EXPECT_TRUE(InChild([] {
    HardenProcess();
    struct rlimit cores {};
    return ::getrlimit(RLIMIT_CORE, &cores) == 0 && cores.rlim_cur == 0 && cores.rlim_max == 0 &&
           ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 && ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
  }));
}

}  // namespace
}  // namespace valija::io
