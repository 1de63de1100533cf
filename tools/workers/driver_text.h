// driver.py as text: its definition is made from that file by the build.
#pragma once

namespace arenalab {

extern const char kDriverText[];

}  // namespace arenalab
