// What mimalloc tells of itself; contract in heap.h.
#include "allocators/mimalloc/heap.h"

namespace arenalab {
namespace {

struct NamedOption {
  std::string_view name;
  mi_option_t option;
};
// Those of mimalloc.h that are not marked deprecated. The library's own table
// is not exported.
constexpr NamedOption kOptions[] = {
    {"show_errors", mi_option_show_errors},
    {"show_stats", mi_option_show_stats},
    {"verbose", mi_option_verbose},
    {"eager_commit", mi_option_eager_commit},
    {"large_os_pages", mi_option_large_os_pages},
    {"reserve_huge_os_pages", mi_option_reserve_huge_os_pages},
    {"reserve_huge_os_pages_at", mi_option_reserve_huge_os_pages_at},
    {"reserve_os_memory", mi_option_reserve_os_memory},
    {"page_reset", mi_option_page_reset},
    {"abandoned_page_decommit", mi_option_abandoned_page_decommit},
    {"eager_commit_delay", mi_option_eager_commit_delay},
    {"decommit_delay", mi_option_decommit_delay},
    {"use_numa_nodes", mi_option_use_numa_nodes},
    {"limit_os_alloc", mi_option_limit_os_alloc},
    {"os_tag", mi_option_os_tag},
    {"max_errors", mi_option_max_errors},
    {"max_warnings", mi_option_max_warnings},
    {"max_segment_reclaim", mi_option_max_segment_reclaim},
    {"allow_decommit", mi_option_allow_decommit},
    {"segment_decommit_delay", mi_option_segment_decommit_delay},
    {"decommit_extend_delay", mi_option_decommit_extend_delay},
    {"destroy_on_exit", mi_option_destroy_on_exit},
};

}  // namespace

const char* MimallocHeap::Version() {
  static char text[] = "0.0.00";
  const int version = mi_version();
  text[0] = static_cast<char>('0' + version / 100 % 10);
  text[2] = static_cast<char>('0' + version / 10 % 10);
  text[4] = static_cast<char>('0' + version % 10);
  text[5] = '\0';
  return text;
}

const char* MimallocHeap::CheckSettings(std::string_view settings) {
  const char* error = nullptr;
  VisitSettings(settings, [&](std::string_view key, std::string_view value) {
    error = "its options are those of mimalloc.h, without mi_option_";
    for (const NamedOption& known : kOptions) {
      if (key != known.name) continue;
      const auto number = NumberIn(value);
      error = number.has_value() && mi_option_get(known.option) == *number
                  ? nullptr
                  : "mimalloc did not take a value: options are numbers";
    }
    return error == nullptr;
  });
  return error;
}

HeapSnapshot MimallocHeap::Snapshot() const noexcept {
  mi_stats_merge();  // this thread's counts into the process's
  std::size_t committed_bytes = 0;
  std::size_t ignored;
  mi_process_info(&ignored, &ignored, &ignored, &ignored, &ignored,
                  &committed_bytes, &ignored, &ignored);
  return {.committed_bytes = static_cast<std::int64_t>(committed_bytes)};
}

}  // namespace arenalab
