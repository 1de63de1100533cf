// See live_list.h.
#include "tools/replay/live_list.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "tools/replay/gzip.h"
#include "tools/replay/hints.h"

namespace arenalab {
namespace {

// One column of varints; what is small stays small.
template <class Value>
void Column(GzipStream* gzip, const std::vector<LiveObject>& objects,
            Value value) {
  std::string bytes;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    std::uint64_t left = value(i);
    for (; left >= 128; left >>= 7) bytes += static_cast<char>(left | 128);
    bytes += static_cast<char>(left);
  }
  gzip->Append(bytes);
}

class Lister {
 public:
  Lister(const CompiledTrace& trace, const std::vector<std::uint64_t>& steps,
         std::vector<std::size_t> moments, std::size_t most)
      : trace_(trace),
        steps_(steps),
        moments_(std::move(moments)),
        most_(most),
        open_(trace.slots) {
    std::sort(moments_.begin(), moments_.end());
    list_.samples = steps.size();
    list_.owners = !trace.owners.empty();
  }

  LiveList Run() {
    StepCursor cursor(trace_);
    HintCursor hints(trace_, false);
    for (Step step; cursor.Next(&step);) {
      const RequestHint hint = hints.Next();
      while (sample_ < steps_.size() && steps_[sample_] < cursor.steps())
        ++sample_;
      Close(step.slot);
      if (step.code == OpCode::kFree) continue;
      open_[step.slot] = {list_.makers++, sample_,   kEnd,      step.size_bytes,
                          hint.thread,    hint.type, hint.site, hints.owner()};
    }
    sample_ = static_cast<std::uint32_t>(steps_.size());
    for (std::uint32_t slot = 0; slot < open_.size(); ++slot) Close(slot);
    std::sort(list_.objects.begin(), list_.objects.end(),
              [](const LiveObject& a, const LiveObject& b) {
                return a.maker < b.maker;
              });
    for (std::uint32_t sample = 0; sample < steps_.size(); ++sample) {
      if (IsTold(sample, sample + 1)) list_.told.push_back(sample);
    }
    return std::move(list_);
  }

 private:
  static constexpr std::uint32_t kEnd = UINT32_MAX;

  void Close(std::uint32_t slot) {
    LiveObject object = std::exchange(open_[slot], LiveObject{});
    object.death = sample_;
    if (object.birth >= object.death || !IsTold(object.birth, object.death))
      return;
    list_.objects.push_back(object);
    while (list_.objects.size() > most_ && stride_ <= steps_.size()) {
      stride_ *= 2;
      std::erase_if(list_.objects, [this](const LiveObject& other) {
        return !IsTold(other.birth, other.death);
      });
    }
  }

  // Whether a sample in [first, behind) is told.
  bool IsTold(std::uint32_t first, std::uint32_t behind) const {
    if ((behind - 1) / stride_ * stride_ >= first) return true;
    const auto moment =
        std::lower_bound(moments_.begin(), moments_.end(), first);
    return moment != moments_.end() && *moment < behind;
  }

  const CompiledTrace& trace_;
  const std::vector<std::uint64_t>& steps_;
  std::vector<std::size_t> moments_;
  const std::size_t most_;
  std::vector<LiveObject> open_;  // by slot
  std::uint32_t sample_ = 0;      // the next to be taken
  std::uint32_t stride_ = 1;
  LiveList list_;
};

}  // namespace

LiveList ListLive(const CompiledTrace& trace,
                  const std::vector<std::uint64_t>& sample_steps,
                  std::vector<std::size_t> moments, std::size_t most) {
  return Lister(trace, sample_steps, std::move(moments), most).Run();
}

std::string EncodeLive(const LiveList& list) {
  const std::vector<LiveObject>& objects = list.objects;
  GzipStream gzip;
  Column(&gzip, objects, [&](std::size_t i) -> std::uint64_t {
    return objects[i].birth - (i == 0 ? 0 : objects[i - 1].birth);
  });
  Column(&gzip, objects, [&](std::size_t i) -> std::uint64_t {
    const bool to_the_end = objects[i].death == list.samples;
    return to_the_end ? 0 : objects[i].death - objects[i].birth;
  });
  Column(&gzip, objects, [&](std::size_t i) { return objects[i].bytes; });
  Column(&gzip, objects, [&](std::size_t i) { return objects[i].thread; });
  Column(&gzip, objects, [&](std::size_t i) { return objects[i].type; });
  Column(&gzip, objects, [&](std::size_t i) { return objects[i].site; });
  if (list.owners)
    Column(&gzip, objects, [&](std::size_t i) { return objects[i].owner; });
  return Base64(gzip.Finish());
}

std::string EncodePlaces(const LiveList& list,
                         const std::vector<std::uint64_t>& addresses) {
  // By size, as allocators keep blocks: RESULTS.md, PLACES.
  std::array<std::uint64_t, 128> last{};
  GzipStream gzip;
  Column(&gzip, list.objects, [&](std::size_t i) {
    const LiveObject& object = list.objects[i];
    const std::uint64_t bytes = object.bytes;
    const std::size_t key =
        bytes <= 1024 ? (bytes + 15) / 16
                      : 54 + static_cast<std::size_t>(std::bit_width(bytes));
    const std::uint64_t unit = addresses[object.maker] / 8;
    const auto distance =
        static_cast<std::int64_t>(unit - std::exchange(last[key], unit));
    return static_cast<std::uint64_t>(distance) << 1 ^
           static_cast<std::uint64_t>(distance >> 63);
  });
  return Base64(gzip.Finish());
}

}  // namespace arenalab
