// A watched family as one screen, and as JSON.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/cow/cow.h"
#include "tools/replay/readable.h"

namespace arenalab {
namespace {

constexpr std::size_t kChildrenShown = 16;
constexpr std::size_t kTypesShown = 8;
constexpr std::size_t kClassesShown = 10;

std::string Size(std::uint64_t bytes) {
  return ReadableBytes(static_cast<double>(bytes));
}

const char* Meaning(CopyCause cause) {
  switch (cause) {
    case CopyCause::kCollector:
      return "while the collector ran (generation 1 or older)";
    case CopyCause::kAllocator:
      return "pymalloc's own words only: pool headers, links in free blocks";
    case CopyCause::kReferences:
      return "reference counts only";
    case CopyCause::kPutBack:
      return "nothing differs: counts that went up and down";
    case CopyCause::kLinks:
      return "the collector's lists only: a neighbour there was made or died";
    case CopyCause::kProgram:
      return "the program's own content only: new, changed or dead objects";
    case CopyCause::kSeveral:
      return "more than one of these kinds of words";
  }
  return "";
}

CopyCounts SumOf(const CowResult& result) {
  CopyCounts sum;
  for (const CowChild& child : result.children) sum.Add(child.counts);
  return sum;
}

std::string ChildrenText(const CowResult& result) {
  char line[200];
  std::snprintf(line, sizeof(line), "%9s %8s %10s %10s %10s %10s %12s %9s\n",
                "child", "lived", "Pss", "private", "dirty", "shared",
                "arenas'pages", "copied");
  std::string text = line;
  for (std::size_t i = 0; i < std::min(kChildrenShown, result.children.size());
       ++i) {
    const CowChild& child = result.children[i];
    const ProcessShares shares =
        child.samples.empty() ? ProcessShares() : child.samples.back().shares;
    const double lived =
        (child.ended_seconds >= 0 ? child.ended_seconds
         : child.samples.empty()  ? child.forked_seconds
                                  : child.samples.back().seconds) -
        child.forked_seconds;
    std::snprintf(
        line, sizeof(line), "%9d %6.2f s %10s %10s %10s %10s %12s %9s%s\n",
        child.pid, lived, Size(shares.pss_bytes).c_str(),
        Size(shares.private_bytes).c_str(),
        Size(shares.private_dirty_bytes).c_str(),
        Size(shares.shared_bytes).c_str(),
        child.has_arenas ? ReadableCount(child.counts.pages).c_str() : "n/a",
        child.has_arenas ? ReadableCount(child.counts.copied()).c_str() : "n/a",
        child.executed ? "  until it executed another program" : "");
    text += line;
  }
  if (result.children.size() > kChildrenShown)
    text += "  and " + std::to_string(result.children.size() - kChildrenShown) +
            " more (--json has all)\n";
  return text;
}

std::string CausesText(const CopyCounts& sum) {
  std::string text = "\nWhy pages of arenas were copied, over all children\n";
  char line[200];
  for (std::size_t i = 0; i < kCopyCauses; ++i) {
    const auto cause = static_cast<CopyCause>(i);
    std::snprintf(
        line, sizeof(line), "  %-11s %10s pages %11s %5.1f %%  %s\n",
        NameOf(cause), ReadableCount(sum.by_cause[i]).c_str(),
        Size(sum.by_cause[i] * kPageBytes).c_str(),
        100.0 * static_cast<double>(sum.by_cause[i]) /
            static_cast<double>(std::max<std::uint64_t>(sum.copied(), 1)),
        Meaning(cause));
    text += line;
  }
  std::snprintf(line, sizeof(line),
                "  %-11s %10s pages %11s         of %s shared at the forks; %s "
                "without content then have some now\n",
                "copied", ReadableCount(sum.copied()).c_str(),
                Size(sum.copied() * kPageBytes).c_str(),
                ReadableCount(sum.pages).c_str(),
                ReadableCount(sum.fresh).c_str());
  return text + line;
}

template <class Key>
std::vector<std::pair<Key, std::uint64_t>> MostFirst(
    std::vector<std::pair<Key, std::uint64_t>> rows, std::size_t most) {
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return a.second > b.second;
  });
  if (rows.size() > most) rows.resize(most);
  return rows;
}

std::uint64_t SumOf(const CauseCounts& causes) {
  std::uint64_t sum = 0;
  for (const std::uint64_t pages : causes) sum += pages;
  return sum;
}

std::string ClassesText(const CopyCounts& counts) {
  std::string text =
      "\nCopied pages by the pool's blocks       collector  allocator "
      "references   put back      links    program    several\n";
  std::vector<std::pair<std::uint64_t, std::uint64_t>> rows;
  for (const auto& [bytes, causes] : counts.by_block_bytes)
    rows.emplace_back(bytes, SumOf(causes));
  for (const auto& [bytes, pages] : MostFirst(rows, kClassesShown)) {
    char line[200];
    std::snprintf(
        line, sizeof(line), "  %-14s %10s pages     ",
        bytes == 0 ? "not told" : (std::to_string(bytes) + " B").c_str(),
        ReadableCount(pages).c_str());
    text += line;
    for (const std::uint64_t of_cause : counts.by_block_bytes.at(bytes)) {
      std::snprintf(line, sizeof(line), " %10s",
                    ReadableCount(of_cause).c_str());
      text += line;
    }
    text += "\n";
  }
  return text;
}

std::string TypesText(const CopyCounts& counts) {
  if (counts.by_type.empty()) return "";
  std::string text = "\nPages in which a block of such an object was written\n";
  std::vector<std::pair<std::string, std::uint64_t>> rows(
      counts.by_type.begin(), counts.by_type.end());
  for (const auto& [type, pages] : MostFirst(rows, kTypesShown)) {
    char line[160];
    std::snprintf(line, sizeof(line), "  %-42.42s %10s\n", type.c_str(),
                  ReadableCount(pages).c_str());
    text += line;
  }
  return text;
}

}  // namespace

std::string CowText(const CowResult& result) {
  if (result.children.empty())
    return "No process was forked by: " + result.command + "\n";
  std::uint64_t dirty = 0, at_fork = 0;
  for (const CowChild& child : result.children) {
    if (child.samples.empty()) continue;
    dirty += child.samples.back().shares.private_dirty_bytes;
    at_fork += child.samples.front().shares.private_dirty_bytes;
  }
  const CopyCounts sum = SumOf(result);
  std::string text =
      std::to_string(result.children.size()) +
      (result.children.size() == 1 ? " forked child" : " forked children") +
      " had " + Size(at_fork) +
      " of written memory of their own right after "
      "their forks and " +
      Size(dirty) + " at the end; " + Size(sum.copied() * kPageBytes) +
      " of it are pages of arenas that were "
      "copied" +
      (result.gc_freeze ? " (gc.freeze before each fork)" : "") + ".\n\n" +
      ChildrenText(result);
  if (sum.pages == 0)
    return text +
           "\nNone of them has arenas of pymalloc: what was copied is "
           "not told apart.\n";
  text += CausesText(sum) + ClassesText(sum) + TypesText(sum);
  if (!result.hook)
    text +=
        "\nCollections were not told apart (--no-hook): what the collector "
        "copied is among `put back` and `links`.\n";
  if (!result.sees_frames)
    text +=
        "\nPage frames are not seen without root: a page that the parent "
        "copied counts as the child's.\n";
  return text;
}

nlohmann::ordered_json CowJson(const CowResult& result) {
  using Json = nlohmann::ordered_json;
  const auto counts_json = [](const CopyCounts& counts) {
    const auto causes_json = [](const CauseCounts& causes) {
      Json json;
      for (std::size_t i = 0; i < kCopyCauses; ++i)
        json[NameOf(static_cast<CopyCause>(i))] = causes[i];
      return json;
    };
    Json json = {{"pages_at_fork", counts.pages},
                 {"pages_given_back", counts.gone},
                 {"pages_fresh", counts.fresh},
                 {"copied", counts.copied()},
                 {"by_cause", causes_json(counts.by_cause)}};
    json["by_block_bytes"] = Json::array();
    for (const auto& [bytes, causes] : counts.by_block_bytes)
      json["by_block_bytes"].push_back(
          {{"block_bytes", bytes}, {"by_cause", causes_json(causes)}});
    json["by_type"] = Json::array();
    for (const auto& [type, pages] :
         MostFirst(std::vector<std::pair<std::string, std::uint64_t>>(
                       counts.by_type.begin(), counts.by_type.end()),
                   counts.by_type.size()))
      json["by_type"].push_back({{"type", type}, {"pages", pages}});
    return json;
  };
  Json json;
  json["schema"] = "arenalab.cow/1";
  json["command"] = result.command;
  json["status"] = result.status;
  json["gc_freeze"] = result.gc_freeze;
  json["collections_seen"] = result.hook;
  json["frames_seen"] = result.sees_frames;
  json["page_bytes"] = kPageBytes;
  json["sum"] = counts_json(SumOf(result));
  json["children"] = Json::array();
  for (const CowChild& child : result.children) {
    Json row = {{"pid", child.pid},
                {"parent", child.parent},
                {"command", child.command},
                {"forked_seconds", child.forked_seconds},
                {"ended_seconds", child.ended_seconds},
                {"executed", child.executed},
                {"collections", child.collections},
                {"has_arenas", child.has_arenas}};
    row["arenas"] = counts_json(child.counts);
    row["samples"] = Json::array();
    for (const CowSample& sample : child.samples)
      row["samples"].push_back(
          {{"seconds", sample.seconds},
           {"rss_bytes", sample.shares.rss_bytes},
           {"pss_bytes", sample.shares.pss_bytes},
           {"private_bytes", sample.shares.private_bytes},
           {"private_dirty_bytes", sample.shares.private_dirty_bytes},
           {"shared_bytes", sample.shares.shared_bytes},
           {"copied_pages", sample.copied_pages}});
    json["children"].push_back(std::move(row));
  }
  return json;
}

}  // namespace arenalab
