// The map, decoded by a reader of the test's own from RESULTS.md's words, is
// the state that placements and frees give: every pool and block of every
// sample, on streams that acquire, release and reuse arenas.
#include "tools/replay/pool_map.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "allocators/pymalloc/generation.h"
#include "tests/tools/replay/golden_stream.h"
#include "tests/tools/replay/tiny_trace.h"
#include "tools/replay/live_list.h"
#include "tools/replay/model.h"

namespace arenalab {
namespace {

// Pool number -> its class and live blocks.
struct PoolState {
  std::uint64_t size_class = 0;  // as stored: class + 1
  std::set<std::uint64_t> blocks;
  friend bool operator==(const PoolState&, const PoolState&) = default;
};
struct MapState {
  std::map<std::uint64_t, std::uint64_t> arenas;  // ordinal -> base offset
  std::map<std::uint64_t, PoolState> pools;       // none without a live block
};

std::string Unbase64(const std::string& text) {
  const std::string digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int have = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<unsigned>(digits.find(c));
    have += 6;
    if (have >= 8) {
      have -= 8;
      bytes += static_cast<char>(bits >> have & 255);
    }
  }
  return bytes;
}

std::string Gunzipped(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int status = Z_OK;
  while (status == Z_OK) {
    char piece[4096];
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof(piece);
    status = inflate(&stream, Z_NO_FLUSH);
    out.append(piece, sizeof(piece) - stream.avail_out);
  }
  EXPECT_EQ(status, Z_STREAM_END);
  inflateEnd(&stream);
  return out;
}

class MapReader {
 public:
  MapReader(const std::string& data, std::uint64_t pools_per_arena)
      : bytes_(Gunzipped(Unbase64(data))), pools_per_arena_(pools_per_arena) {}

  const MapState& NextSample() {
    for (std::uint64_t n = Varint(); n > 0; --n) {
      const std::uint64_t ordinal = Varint();
      const std::uint64_t kind = Varint();
      const std::uint64_t offset = Varint();
      if (kind == 0) {
        state_.arenas[ordinal] = offset;
        continue;
      }
      EXPECT_EQ(state_.arenas.erase(ordinal), 1u);
      state_.pools.erase(
          state_.pools.lower_bound(ordinal * pools_per_arena_),
          state_.pools.lower_bound((ordinal + 1) * pools_per_arena_));
    }
    std::uint64_t pool = 0;
    for (std::uint64_t n = Varint(); n > 0; --n) {
      pool += Varint();
      const std::uint64_t size_class = Varint();
      state_.pools.erase(pool);
      if (size_class != 0) state_.pools[pool].size_class = size_class;
    }
    pool = 0;
    for (std::uint64_t n = Varint(); n > 0; --n) {
      pool += Varint();
      std::set<std::uint64_t>& blocks = state_.pools.at(pool).blocks;
      std::uint64_t block = 0;
      for (std::uint64_t k = Varint(); k > 0; --k) {
        block += Varint();
        if (!blocks.erase(block)) blocks.insert(block);
      }
    }
    return state_;
  }
  bool AtEnd() const { return at_ == bytes_.size(); }

 private:
  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      if (at_ == bytes_.size()) throw std::runtime_error("the map ends early");
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      value |= std::uint64_t{byte & 127u} << shift;
      if (byte < 128) return value;
    }
  }

  std::string bytes_;
  std::uint64_t pools_per_arena_;
  std::size_t at_ = 0;
  MapState state_;
};

// OBJECTS, read as RESULTS.md says.
class ObjectsReader {
 public:
  struct Object {
    std::uint64_t pool, block, birth, death, bytes;
  };

  ObjectsReader(const ObjectList::Columns& columns, std::uint64_t samples)
      : bytes_(Gunzipped(Unbase64(columns.data))), objects(columns.count) {
    for (std::size_t i = 0; i < objects.size(); ++i)
      objects[i].pool = Varint() + (i > 0 ? objects[i - 1].pool : 0);
    for (std::size_t i = 0; i < objects.size(); ++i)
      objects[i].block = Varint() + (SamePool(i) ? objects[i - 1].block : 0);
    // Births and lives stand one after another, and each needs the other.
    std::vector<std::uint64_t> births(objects.size());
    for (std::uint64_t& birth : births) birth = Varint();
    for (std::size_t i = 0; i < objects.size(); ++i) {
      const bool same_place =
          SamePool(i) && objects[i].block == objects[i - 1].block;
      objects[i].birth = births[i] + (same_place ? objects[i - 1].death : 0);
      const std::uint64_t life = Varint();
      objects[i].death = life == 0 ? samples : objects[i].birth + life;
    }
    for (Object& object : objects) object.bytes = Varint();
    for (std::size_t i = 0; i < 3 * objects.size(); ++i) Varint();
    EXPECT_EQ(at_, bytes_.size());
  }

 private:
  bool SamePool(std::size_t i) const {
    return i > 0 && objects[i].pool == objects[i - 1].pool;
  }
  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      if (at_ == bytes_.size()) throw std::runtime_error("objects end early");
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      value |= std::uint64_t{byte & 127u} << shift;
      if (byte < 128) return value;
    }
  }
  std::string bytes_;
  std::size_t at_ = 0;

 public:
  std::vector<Object> objects;
};

struct Request {
  EventKind kind;
  std::uint64_t slot;
  std::uint64_t size;
};
// Where a block is, as the placements file says.
struct Place {
  std::uint64_t arena;
  std::uint64_t offset;
  std::uint64_t size_class;
};

// What RESULTS.md's map should hold, from the placements' text alone.
class PlacedState {
 public:
  PlacedState(const std::string& path, const GeometryValues& geometry,
              std::vector<std::size_t> offsets)
      : geometry_(geometry), offsets_(std::move(offsets)), file_(path) {}

  void Take(std::uint64_t event, const Request& request) {
    const auto old = live_.find(request.slot);
    const Place before = old != live_.end() ? old->second : Place{};
    live_.erase(request.slot);
    if (request.kind == EventKind::kFree) return;
    for (std::string line; std::getline(file_, line);) {
      std::istringstream words(line);
      std::string first;
      Place place{};
      words >> first;
      if (first.starts_with("arena")) continue;
      EXPECT_EQ(std::stoull(first), event);
      if (words >> place.arena >> place.offset) {
        // A realloc that stays where it is keeps its block's class.
        const bool stayed = request.kind == EventKind::kRealloc &&
                            place.arena == before.arena &&
                            place.offset == before.offset;
        place.size_class = stayed ? before.size_class
                                  : (request.size - 1) / geometry_.alignment;
        live_[request.slot] = place;
      }
      return;
    }
    ADD_FAILURE() << "no line for event " << event;
  }

  MapState State() const {
    MapState state;
    for (const auto& [slot, place] : live_) {
      const std::uint64_t base = offsets_[place.arena % offsets_.size()];
      const std::uint64_t lost =
          (geometry_.pool_bytes - base) % geometry_.pool_bytes;
      const std::uint64_t in_pools = place.offset - lost;
      const std::uint64_t pool =
          place.arena * (geometry_.arena_bytes / geometry_.pool_bytes) +
          in_pools / geometry_.pool_bytes;
      PoolState& pool_state = state.pools[pool];
      pool_state.size_class = place.size_class + 1;
      pool_state.blocks.insert((in_pools % geometry_.pool_bytes - 48) /
                               ((place.size_class + 1) * geometry_.alignment));
    }
    return state;
  }

 private:
  GeometryValues geometry_;
  std::vector<std::size_t> offsets_;
  std::ifstream file_;
  std::map<std::uint64_t, Place> live_;
};

void ExpectMapIsPlacements(const std::string& generation,
                           void (*stream)(const GoldenSink&),
                           const std::vector<std::size_t>& offsets,
                           std::size_t budget_bytes = 16 << 20,
                           std::size_t most_objects = 1 << 20) {
  const std::string path = ScratchPath(".trace");
  WriteGoldenTrace(path, stream);
  std::vector<Request> requests;
  stream([&](EventKind kind, std::uint64_t slot, std::uint64_t size) {
    requests.push_back({kind, slot, size});
  });
  TraceReader reader(path);
  const CompiledTrace trace = Compile(reader, Scope::kPython);
  const Samples samples = ChooseSamples(trace, 512, 60);
  const std::string placements_path = ScratchPath(".placements");
  PlacementsFile placements(placements_path);
  ModelOptions options;
  options.arena_offsets = offsets;
  options.placements = &placements;
  options.map_budget_bytes = budget_bytes;
  options.most_objects = most_objects;
  const ModelRun run =
      RunModel("geometry:" + generation, trace, samples, options);
  placements.Close();

  PlacedState placed(placements_path, run.geometry, offsets);
  MapReader map(run.map, PoolsPerArena(run.geometry));
  const std::set<std::size_t> told(run.map_told.begin(), run.map_told.end());
  if (budget_bytes < 1 << 20) {
    EXPECT_LT(told.size(), run.samples.size());
    EXPECT_LT(
        run.map.size(),
        RunModel("geometry:" + generation, trace, samples, {}).map.size());
    EXPECT_TRUE(told.contains(samples.moments.peak));
    EXPECT_TRUE(told.contains(samples.moments.end));
  } else {
    EXPECT_EQ(told.size(), run.samples.size());
  }
  const ObjectsReader listed(*run.objects, run.samples.size());
  const std::set<std::size_t> whole(run.objects->told.begin(),
                                    run.objects->told.end());
  EXPECT_EQ(whole.size() < run.samples.size(), most_objects < 1 << 20);
  EXPECT_TRUE(whole.contains(samples.moments.peak));
  EXPECT_TRUE(whole.contains(samples.moments.end));
  std::uint64_t event = 0;
  ASSERT_GE(run.samples.size(), 50u);
  for (std::size_t i = 0; i < run.samples.size(); ++i) {
    for (; event < samples.timeline.request[i]; ++event)
      placed.Take(event, requests[event]);
    std::map<std::uint64_t, std::set<std::uint64_t>> blocks;
    std::uint64_t bytes = 0;
    const bool looked_at = i % 8 == 0 || i + 1 == run.samples.size();
    for (const ObjectsReader::Object& object : listed.objects) {
      if (!looked_at) break;
      if (object.birth > i || object.death <= i) continue;
      EXPECT_TRUE(blocks[object.pool].insert(object.block).second);
      bytes += object.bytes;
    }
    if (whole.contains(i) && looked_at) {
      std::map<std::uint64_t, std::set<std::uint64_t>> expected;
      for (const auto& [pool, state] : placed.State().pools)
        expected[pool] = state.blocks;
      ASSERT_EQ(blocks, expected) << "objects of sample " << i;
    }
    // Sizes are the last ones.
    if (i + 1 == run.samples.size()) {
      EXPECT_EQ(bytes, run.samples[i].waterfall.bytes[0]);
    }
    const MapState& decoded = map.NextSample();
    if (!told.contains(i)) continue;
    ASSERT_EQ(decoded.pools, placed.State().pools) << "sample " << i;
    ASSERT_EQ(decoded.arenas.size(), run.samples[i].arenas_live);
    for (const auto& [ordinal, offset] : decoded.arenas)
      ASSERT_EQ(offset, offsets[ordinal % offsets.size()]);
  }
  EXPECT_TRUE(map.AtEnd());
}

TEST(PoolMap, DecodesToThePlacementsAtEverySample) {
  ExpectMapIsPlacements("cpython-3.11", GoldenStream1, {4096, 8192, 12288, 0});
}

TEST(PoolMap, FollowsArenasThatComeAndGo) {
  ExpectMapIsPlacements("cpython-3.8", GoldenStream2, {0});
}

TEST(PoolMap, OverItsBudgetTellsFewerSamplesAndThoseExactly) {
  ExpectMapIsPlacements("cpython-3.8", GoldenStream2, {0}, 8 << 10);
}

TEST(ObjectList, OverItsBudgetTellsFewerSamplesAndThoseExactly) {
  ExpectMapIsPlacements("cpython-3.11", GoldenStream1, {0}, 16 << 20, 30000);
}

TEST(LiveList, HasWhatLivesAtASampleAndTakesAReallocForANewObject) {
  const CompiledTrace trace = Compiled(
      "malloc 1 24\nmalloc 2 100\nfree 1\nrealloc 2 2000\nmalloc 3 8\n"
      "free 3\n");
  const LiveList list = ListLive(trace, {1, 2, 4, 6}, {}, 100);
  EXPECT_EQ(list.makers, 4u) << "requests that return a block";
  ASSERT_EQ(list.objects.size(), 3u) << "8 bytes come and go between samples";
  const std::uint64_t expected[3][4] = {
      // maker, first sample, behind the last, bytes
      {0, 0, 2, 24},
      {1, 1, 2, 100},
      {2, 2, 4, 2000}};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(list.objects[i].maker, expected[i][0]) << i;
    EXPECT_EQ(list.objects[i].birth, expected[i][1]) << i;
    EXPECT_EQ(list.objects[i].death, expected[i][2]) << i;
    EXPECT_EQ(list.objects[i].bytes, expected[i][3]) << i;
  }
}

TEST(LiveList, OverItsBudgetKeepsWhatLivesAtTheMoments) {
  std::string text;
  std::vector<std::uint64_t> steps;
  for (int i = 1; i <= 64; ++i) {
    text += "malloc " + std::to_string(i) + " 24\n";
    if (i > 1) text += "free " + std::to_string(i - 1) + "\n";
    steps.push_back(static_cast<std::uint64_t>(2 * i - 1));
  }
  const CompiledTrace trace = Compiled(text);
  EXPECT_EQ(ListLive(trace, steps, {}, 1000).told.size(), 64u);
  const LiveList few = ListLive(trace, steps, {33}, 10);
  EXPECT_LE(few.objects.size(), 12u);
  EXPECT_NE(std::find(few.told.begin(), few.told.end(), 33u), few.told.end());
  EXPECT_LT(few.told.size(), 64u);
  for (const std::size_t sample : few.told) {
    EXPECT_TRUE(std::any_of(few.objects.begin(), few.objects.end(),
                            [&](const LiveObject& object) {
                              return object.birth <= sample &&
                                     object.death > sample;
                            }))
        << sample;
  }
}

TEST(PoolMap, KnowsBlocksInStepsOfEight) {
  // Requests over 512 bytes aside, classic has 64 classes of 8 bytes.
  ExpectMapIsPlacements("classic", GoldenStream2, {0});
}

TEST(PoolMap, Base64IsRfc4648s) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foo"), "Zm9v");
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64("\xff\xfe"), "//4=");
}

}  // namespace
}  // namespace arenalab
