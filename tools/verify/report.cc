// A VerifyReport as text and as JSON.
#include "tools/verify/report.h"

#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tools/replay/readable.h"

namespace arenalab {
namespace {

using nlohmann::ordered_json;

std::string Hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%" PRIx64, value);
  return text;
}

// REQUIRES: not a request of the raw domain, whose address means nothing here.
std::string PlaceText(const Place& place) {
  if (!place.in_arena) {
    return place.address == 0 ? "none" : Hex(place.address) + " (not an arena)";
  }
  if (place.address == 0) {
    return "offset " + Hex(place.offset) +
           " of an arena that the recording has not";
  }
  if (place.arena == ~std::uint64_t{0}) {
    return Hex(place.address) + " (an arena from before the recording)";
  }
  return Hex(place.address) + " (arena " + std::to_string(place.arena) + " + " +
         Hex(place.offset) + ")";
}

ordered_json PlaceJson(const Place& place) {
  if (!place.in_arena && place.address == 0) return nullptr;
  ordered_json json = ordered_json::object();
  json["address"] = place.address == 0 ? ordered_json(nullptr)
                                       : ordered_json(Hex(place.address));
  if (place.in_arena) {
    json["arena"] = place.arena == ~std::uint64_t{0}
                        ? ordered_json(nullptr)
                        : ordered_json(place.arena);
    json["offset"] = place.offset;
  }
  return json;
}

std::string FirstText(const Mismatch& first) {
  std::string text = "first mismatch: EVENT " + std::to_string(first.event) +
                     " of " + first.file + "\n  " +
                     std::string(NameOf(first.what)) + "\n  " +
                     std::string(NameOf(first.kind)) + " of " +
                     std::to_string(first.size_bytes) + " bytes, domain " +
                     std::string(NameOf(first.layer)) + ", ";
  text += first.class_bytes == 0
              ? "served by no size class"
              : "class of " + std::to_string(first.class_bytes) + " bytes";
  if (first.state != 0) text += ", state " + std::to_string(first.state);
  text += "\n  expected " + PlaceText(first.expected) + "\n  recorded " +
          PlaceText(first.recorded) + "\n";
  return text;
}

}  // namespace

std::string_view NameOf(VerifyStatus status) {
  switch (status) {
    case VerifyStatus::kEqual:
      return "equal";
    case VerifyStatus::kMismatch:
      return "mismatch";
    case VerifyStatus::kCannot:
      break;
  }
  return "cannot";
}

std::string_view NameOf(MismatchKind kind) {
  switch (kind) {
    case MismatchKind::kAddress:
      return "another address";
    case MismatchKind::kOnlyInterpreter:
      return "served by the interpreter's pymalloc only";
    case MismatchKind::kOnlyClone:
      return "served by the clone only";
    case MismatchKind::kArenaOnlyInterpreter:
      return "arena acquired by the interpreter only";
    case MismatchKind::kArenaOnlyClone:
      return "arena acquired by the clone only";
    case MismatchKind::kReleaseOnlyInterpreter:
      return "arena released by the interpreter only";
    case MismatchKind::kReleaseOnlyClone:
      return "arena released by the clone only";
    case MismatchKind::kReleaseOther:
      return "another arena released";
    case MismatchKind::kUnknownBlock:
      return "gives up a block that the recording never allocated";
    case MismatchKind::kDoubleAllocation:
      break;
  }
  return "returns a block that is live already";
}

std::string_view NameOf(EventKind kind) {
  switch (kind) {
    case EventKind::kAlloc:
      return "malloc";
    case EventKind::kZeroed:
      return "calloc";
    case EventKind::kAligned:
      return "aligned";
    case EventKind::kRealloc:
      return "realloc";
    case EventKind::kFree:
      return "free";
    default:
      break;
  }
  return "not a request";
}

std::string_view NameOf(Layer layer) {
  switch (layer) {
    case Layer::kRaw:
      return "raw";
    case Layer::kMem:
      return "mem";
    case Layer::kObject:
      return "obj";
    case Layer::kLibc:
      break;
  }
  return "libc";
}

std::string VerifyText(const VerifyReport& report) {
  std::string text;
  switch (report.status) {
    case VerifyStatus::kEqual:
      text = "equal: every address is the clone's\n";
      break;
    case VerifyStatus::kMismatch:
      text = "MISMATCH: the clone and the recording differ\n";
      break;
    case VerifyStatus::kCannot:
      text = "cannot verify: " + report.reason + "\n";
      break;
  }
  text += "  trace        " + report.file + "\n";
  if (!report.python.empty()) text += "  interpreter  " + report.python + "\n";
  if (report.geometry.empty()) return text;
  text += "  clone        " + report.geometry + "\n";
  text += "  requests     " + ReadableCount(report.requests);
  if (report.inherited != 0) {
    text += ", after " + ReadableCount(report.inherited) + " of its parents";
  }
  text += "\n  served       " + ReadableCount(report.served) +
          " by pymalloc, and their " + ReadableCount(report.frees) + " frees\n";
  text += "  compared     " + ReadableCount(report.compared) + "\n";
  text += "  arenas       " +
          ReadableCount(report.arenas_acquired - report.seeded_arenas) +
          " acquired, " + ReadableCount(report.arenas_released) + " released";
  if (report.states > 1) {
    text += ", in " + ReadableCount(report.states) + " interpreters";
  }
  if (report.seeded_blocks != 0) {
    text += "\n  began with   " + ReadableCount(report.seeded_blocks) +
            " blocks in " + ReadableCount(report.seeded_arenas) + " arenas; " +
            ReadableCount(report.unknown_objects) +
            " others from before given up or grown";
  }
  text += "\n  mismatches   " + ReadableCount(report.mismatches) + "\n";
  if (report.first.has_value()) text += FirstText(*report.first);
  for (const std::string& warning : report.warnings) {
    text += "warning: " + warning + "\n";
  }
  return text;
}

std::string VerifyJson(const VerifyReport& report) {
  ordered_json json;
  json["schema"] = "arenalab.verify/1";
  json["status"] = NameOf(report.status);
  json["reason"] = report.reason.empty() ? ordered_json(nullptr)
                                         : ordered_json(report.reason);
  json["trace"] = report.file;
  json["python"] = report.python;
  json["geometry"] = report.geometry;
  json["requests"] = report.requests;
  json["inherited"] = report.inherited;
  json["served"] = report.served;
  json["compared"] = report.compared;
  json["inherited_compared"] = report.inherited_compared;
  json["frees"] = report.frees;
  json["arenas_acquired"] = report.arenas_acquired;
  json["arenas_released"] = report.arenas_released;
  json["unknown_objects"] = report.unknown_objects;
  json["seeded_blocks"] = report.seeded_blocks;
  json["seeded_arenas"] = report.seeded_arenas;
  json["states"] = report.states;
  json["mismatches"] = report.mismatches;
  if (report.first.has_value()) {
    const Mismatch& first = *report.first;
    json["first"] = {{"what", NameOf(first.what)},
                     {"file", first.file},
                     {"event", first.event},
                     {"kind", NameOf(first.kind)},
                     {"domain", NameOf(first.layer)},
                     {"state", first.state},
                     {"size_bytes", first.size_bytes},
                     {"class_bytes", first.class_bytes},
                     {"expected", PlaceJson(first.expected)},
                     {"recorded", PlaceJson(first.recorded)}};
  } else {
    json["first"] = nullptr;
  }
  json["warnings"] = report.warnings;
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) +
         "\n";
}

}  // namespace arenalab
