#include "tests/core/text/source_texts.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace valija::text {
namespace {

namespace fs = std::filesystem;

// Their last argument is a detail.
const std::set<std::string_view> kTellers = {
    "Refuse",  "Malformed", "BadKey",       "BadPolicy", "BadCheckpoint", "Bad",       "bad",     "BadHeader",
    "BadBody", "BadBatch",  "BadSignature", "BadProof",  "BadHint",       "Corrupt",   "Damaged", "FileError",
    "Wrong",   "Find",      "Fail",         "failed",    "fault",         "malformed", "Told"};

// What is said within these is for no person: logs, faults inside, compilers.
const std::set<std::string_view> kSilent = {"Log", "throw", "static_assert", "Need", "Demand", "Impossible"};

enum class Kind { kWord, kLiteral, kOther };

struct Token {
  Kind kind;
  std::string text;  // of a literal what it holds
  int line;
};
using Tokens = std::vector<Token>;

bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

char Unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '0':
      return '\0';
    default:
      return c;
  }
}

Tokens Tokenise(std::string_view text) {
  Tokens out;
  int line = 1;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const auto rest = text.substr(at);
    auto skip = [&](std::size_t n) {
      line += static_cast<int>(std::count(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(n), '\n'));
      at += n;
    };
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      skip(1);
    } else if (rest.starts_with("//") || (c == '#' && rest.starts_with("#include"))) {
      skip(std::min(rest.find('\n'), rest.size()));
    } else if (rest.starts_with("R\"")) {
      const auto open = rest.find('(');
      const auto close = rest.find(")" + std::string(rest.substr(2, open - 2)) + "\"");
      out.push_back({Kind::kLiteral, std::string(rest.substr(open + 1, close - open - 1)), line});
      skip(close + 2 + open - 2);
    } else if (c == '"' || (c == '\'' && (at == 0 || !IsWord(text[at - 1])))) {
      std::string held;
      std::size_t n = 1;
      for (; n < rest.size() && rest[n] != c; ++n) held += rest[n] == '\\' ? Unescaped(rest[++n]) : rest[n];
      // What the preprocessor joins is one.
      if (c == '"' && !out.empty() && out.back().kind == Kind::kLiteral)
        out.back().text += held;
      else
        out.push_back({c == '"' ? Kind::kLiteral : Kind::kOther, c == '"' ? held : "'" + held, line});
      skip(n + 1);
    } else if (IsWord(c)) {
      std::size_t n = 0;
      while (n < rest.size() && (IsWord(rest[n]) || rest[n] == '\'')) ++n;
      out.push_back({Kind::kWord, std::string(rest.substr(0, n)), line});
      skip(n);
    } else {
      const std::size_t n = rest.starts_with("->") || rest.starts_with("::") || rest.starts_with("<<") ? 2 : 1;
      out.push_back({Kind::kOther, std::string(rest.substr(0, n)), line});
      skip(n);
    }
  }
  return out;
}

class Reader {
 public:
  Reader(std::string name, std::string_view content) : name_(std::move(name)), tokens_(Tokenise(content)) {
    std::vector<std::size_t> open;
    for (std::size_t at = 0; at < tokens_.size(); ++at) {
      if (IsOpening(at)) open.push_back(at);
      if (IsClosing(at) && !open.empty()) {
        close_[open.back()] = at;
        open.pop_back();
      }
    }
  }

  SourceTexts Read() {
    for (std::size_t at = 0; at + 1 < tokens_.size(); ++at) {
      if (tokens_[at].kind != Kind::kWord) continue;
      if (kSilent.contains(tokens_[at].text)) Silence(at);
      if (kTellers.contains(tokens_[at].text) && Is(at + 1, "(") && !IsMember(at)) Tell(at + 1);
    }
    for (std::size_t at = 0; at < tokens_.size(); ++at) {
      if (tokens_[at].kind != Kind::kLiteral) continue;
      out_.literals.insert(tokens_[at].text);
      if (!read_.contains(at) && HasWords(tokens_[at].text)) out_.strays.push_back({Where(at), tokens_[at].text});
    }
    return std::move(out_);
  }

 private:
  bool Is(std::size_t at, std::string_view text) const {
    return at < tokens_.size() && tokens_[at].kind != Kind::kLiteral && tokens_[at].text == text;
  }
  bool IsOpening(std::size_t at) const { return Is(at, "(") || Is(at, "{") || Is(at, "["); }
  bool IsClosing(std::size_t at) const { return Is(at, ")") || Is(at, "}") || Is(at, "]"); }
  bool IsMember(std::size_t at) const { return at > 0 && (Is(at - 1, ".") || Is(at - 1, "->")); }
  std::size_t Closing(std::size_t open) const {
    auto at = close_.find(open);
    return at == close_.end() ? open : at->second;
  }
  std::string Where(std::size_t at) const { return name_ + ":" + std::to_string(tokens_[at].line); }

  // Two words, as "a name" or "no: it".
  static bool HasWords(std::string_view text) {
    for (std::size_t at = 0; at + 1 < text.size(); ++at)
      if (text[at] == ' ' && std::isalpha(static_cast<unsigned char>(text[at + 1])) != 0) return true;
    return false;
  }

  // Where `mark` stands between the brackets of [from, to).
  std::vector<std::size_t> Top(std::size_t from, std::size_t to, std::string_view mark) const {
    std::vector<std::size_t> out;
    for (auto at = from; at < to; ++at) {
      if (Is(at, mark)) out.push_back(at);
      if (IsOpening(at)) at = Closing(at);
    }
    return out;
  }

  void Silence(std::size_t at) {
    auto open = at + 1;
    while (open < tokens_.size() && !Is(open, "(") && !Is(open, ";")) ++open;
    for (; at <= Closing(open); ++at) read_.insert(at);
  }

  void Tell(std::size_t open) {
    const auto close = Closing(open);
    auto commas = Top(open + 1, close, ",");
    // Refuse(reason) has no detail; a definition, as Error Bad(std::string what), has none to read.
    if (commas.empty() && Is(open - 1, "Refuse")) return;
    const auto from = commas.empty() ? open + 1 : commas.back() + 1;
    for (const auto& pattern : Patterns(from, close)) {
      // "Envelope.payload" is a field's name.
      const bool field = pattern.find('.') != pattern.npos && pattern.find(' ') == pattern.npos;
      if (field || !std::any_of(pattern.begin(), pattern.end(), [](unsigned char c) { return std::isalpha(c) != 0; }))
        continue;
      std::string numbered;
      for (char c : pattern)
        if (c == '\x01')
          numbered += "{" + std::to_string(std::count(numbered.begin(), numbered.end(), '{')) + "}";
        else
          numbered += c;
      out_.details.push_back({Where(open), numbered});
    }
  }

  // A place is \x01.
  std::vector<std::string> Patterns(std::size_t from, std::size_t to) {
    if (from >= to) return {"\x01"};
    if (auto ask = Top(from, to, "?"); !ask.empty()) {
      std::size_t depth = 0, colon = ask.front() + 1;
      for (; colon < to; ++colon) {
        if (IsOpening(colon)) colon = Closing(colon);
        if (Is(colon, "?")) ++depth;
        if (Is(colon, ":") && depth-- == 0) break;
      }
      auto out = Patterns(ask.front() + 1, colon);
      for (auto& more : Patterns(colon + 1, to)) out.push_back(std::move(more));
      return out;
    }
    if (auto plus = Top(from, to, "+"); !plus.empty()) {
      plus.push_back(to);
      std::vector<std::string> out = {""};
      auto start = from;
      for (auto end : plus) {
        std::vector<std::string> longer;
        for (const auto& head : out)
          for (const auto& tail : Patterns(start, end))
            longer.push_back(head.ends_with('\x01') && tail == "\x01" ? head : head + tail);
        out = std::move(longer);
        start = end + 1;
      }
      return out;
    }
    if (to - from == 1 && tokens_[from].kind == Kind::kLiteral) {
      read_.insert(from);
      return {tokens_[from].text};
    }
    if (Is(from, "(") && Closing(from) == to - 1) return Patterns(from + 1, to - 1);
    if (Is(from, "std") && (Is(from + 2, "string") || Is(from + 2, "string_view") || Is(from + 2, "move")) &&
        Is(from + 3, "(") && Closing(from + 3) == to - 1)
      return Patterns(from + 4, to - 1);
    return {"\x01"};
  }

  std::string name_;
  Tokens tokens_;
  std::map<std::size_t, std::size_t> close_;
  std::set<std::size_t> read_;  // literals that are part of a detail, or for no person
  SourceTexts out_;
};

}  // namespace

SourceTexts ReadSource(const std::string& name, std::string_view content) { return Reader(name, content).Read(); }

SourceTexts ReadSources(const std::string& root) {
  SourceTexts out;
  std::set<fs::path> files;
  for (const char* folder : {"core", "proto", "broker", "client", "audit"})
    for (const auto& file : fs::recursive_directory_iterator(fs::path(root) / folder))
      if (file.path().extension() == ".cc" || file.path().extension() == ".h") files.insert(file.path());
  for (const auto& file : files) {
    const auto name = fs::relative(file, root).string();
    // The catalogue, and the witness, which speaks English.
    if (name.starts_with("core/text/") || name.starts_with("audit/witness/")) continue;
    std::ifstream in(file);
    std::stringstream content;
    content << in.rdbuf();
    auto more = ReadSource(name, content.str());
    for (auto& text : more.details) out.details.push_back(std::move(text));
    for (auto& text : more.strays) out.strays.push_back(std::move(text));
    out.literals.merge(more.literals);
  }
  return out;
}

std::string Shape(std::string_view pattern) {
  std::string out;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const bool place =
        at + 2 < pattern.size() && std::isdigit(static_cast<unsigned char>(pattern[at + 1])) != 0 &&
        ((pattern[at] == '{' && pattern[at + 2] == '}') || (pattern[at] == '<' && pattern[at + 2] == '>'));
    out += place ? "{}" : std::string(1, pattern[at]);
    if (place) at += 2;
  }
  return out;
}

}  // namespace valija::text
