// The parts of the page that are written by the server side, each an HTML
// fragment. Pure functions of the results. They expect the schema that
// RenderReport has checked, take unknown (null, absent) for what it is, and
// escape all text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace arenalab {

// The few numbers that the rest is about, large. "" where they are not known.
std::string FiguresSection(const nlohmann::json& results);
std::string VerdictSection(const nlohmann::json& results);
// Incomplete trace, lost events, a failed verification, the reader's warnings.
std::string WarningsSection(const nlohmann::json& results);
std::string SummarySection(const nlohmann::json& results);
std::string StaticChartSection(const nlohmann::json& results);
std::string ProvenanceSection(const nlohmann::json& results);
// The whole section; "" for a run of one process.
std::string ProcessSection(const nlohmann::json& results);
std::string ContentsSection(const nlohmann::json& results);

}  // namespace arenalab
