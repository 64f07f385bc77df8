// Settings of what a CPU plays for tests, a GPU or a library for one: a list such as `memory=1000000,lost=5`.
#pragma once
#include <stdlib.h>
#include <string.h>

namespace kcc {

// The number that a list gives to `name`, or the usual one; there may be no list.
inline double played_setting(const char* settings, const char* name, double usual) {
  const size_t length = strlen(name);
  for (const char* at = settings; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : nullptr)
    if (!strncmp(at, name, length) && at[length] == '=') return atof(at + length + 1);
  return usual;
}

}  // namespace kcc
