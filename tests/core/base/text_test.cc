// Text for people: nothing foreign reaches a terminal or a spreadsheet raw.
#include "core/base/text.h"

#include <gtest/gtest.h>

namespace valija {
namespace {

TEST(Visible, LeavesPlainTextAlone) {
  EXPECT_EQ(Visible(""), "");
  EXPECT_EQ(Visible("TLP:AMBER+STRICT, 52.9 kB"), "TLP:AMBER+STRICT, 52.9 kB");
  EXPECT_EQ(Visible("Fiscalía General, señales, 情報, 🙂"), "Fiscalía General, señales, 情報, 🙂");
  EXPECT_EQ(Visible("\xf4\x8f\xbf\xbd"), "\xf4\x8f\xbf\xbd");  // U+10FFFD
}

TEST(Visible, ShowsControlCharactersAndEscapes) {
  EXPECT_EQ(Visible("\x1b[2J"), "\\x1b[2J");
  EXPECT_EQ(Visible(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(Visible("\a\b\r\x7f"), "\\x07\\x08\\x0d\\x7f");
  EXPECT_EQ(Visible("\xc2\x9b"
                    "31m"),
            "\\x9b31m");  // U+009B: an escape of one character
}

TEST(Visible, ShowsWhatTurnsTheDirectionOrCannotBeSeen) {
  EXPECT_EQ(Visible("\xe2\x80\xae"
                    "fdp.exe"),
            "\\u{202e}fdp.exe");
  EXPECT_EQ(Visible("\xe2\x81\xa6x\xe2\x81\xa9"), "\\u{2066}x\\u{2069}");
  EXPECT_EQ(Visible("a\xe2\x80\x8b"
                    "b\xef\xbb\xbf"),
            "a\\u{200b}b\\u{feff}");
  EXPECT_EQ(Visible("a\xc2\xad"
                    "b"),
            "a\\xadb");  // soft hyphen
  EXPECT_EQ(Visible("\xe2\x80\xa8\xe2\x80\xa9"), "\\u{2028}\\u{2029}");
  EXPECT_EQ(Visible("\xf3\xa0\x81\x81"), "\\u{e0041}");  // a tag character
}

TEST(Visible, ShowsBytesThatAreNoUtf8) {
  EXPECT_EQ(Visible("\xff"), "\\xff");
  EXPECT_EQ(Visible("\xc3"), "\\xc3");             // cut short
  EXPECT_EQ(Visible("\xe2\x82z"), "\\xe2\\x82z");  // cut short by another character
  EXPECT_EQ(Visible("\x80"), "\\x80");             // a continuation alone
  EXPECT_EQ(Visible("\xc0\x9b"), "\\xc0\\x9b");    // overlong
  EXPECT_EQ(Visible("\xe0\x80\x9b"), "\\xe0\\x80\\x9b");
  EXPECT_EQ(Visible("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // a surrogate
  EXPECT_EQ(Visible("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond Unicode
  EXPECT_EQ(Visible("\xf8\x88\x80\x80\x80"), "\\xf8\\x88\\x80\\x80\\x80");
}

TEST(Visible, KeepsLinesWhereTheyAreWanted) {
  EXPECT_EQ(Visible("a\n\tb"), "a\\x0a\\x09b");
  EXPECT_EQ(Visible("a\n\tb\r\x1b", true), "a\n\tb\\x0d\\x1b");
}

TEST(FormatTable, AlignsByCharactersAndTrimsTheEnd) {
  EXPECT_EQ(FormatTable({"WHO", "WHAT"}, {{"señal", "x"}, {"b", ""}}),
            "WHO    WHAT\n"
            "señal  x\n"
            "b\n");
  EXPECT_EQ(FormatTable({"A"}, {}), "A\n");
}

TEST(FormatTable, MakesItsCellsVisible) {
  EXPECT_EQ(FormatTable({"A", "B"}, {{"x\ny", "\x1b"}}),
            "A       B\n"
            "x\\x0ay  \\x1b\n");
}

TEST(CsvCell, QuotesAndDoublesQuotes) {
  EXPECT_EQ(CsvCell(""), "\"\"");
  EXPECT_EQ(CsvCell("a,b"), "\"a,b\"");
  EXPECT_EQ(CsvCell("say \"so\""), "\"say \"\"so\"\"\"");
  EXPECT_EQ(CsvCell("a\nb"), "\"a\\x0ab\"");
}

TEST(CsvCell, DefusesWhatASpreadsheetWouldRun) {
  for (const char* formula : {"=1+1", "+1", "-1", "@SUM(A1)"})
    EXPECT_EQ(CsvCell(formula), "\"'" + std::string(formula) + "\"");
  EXPECT_EQ(CsvCell("\t=1"), "\"'\\x09=1\"");
  EXPECT_EQ(CsvCell("1=1"), "\"1=1\"");
}

}  // namespace
}  // namespace valija
