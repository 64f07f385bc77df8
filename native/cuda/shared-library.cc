#include "shared-library.h"

#include <dlfcn.h>
#include <stdlib.h>

namespace kcc {

SharedLibrary::SharedLibrary(const char* title, const char* override_variable, std::vector<const char*> names) {
  const char* const asked = getenv(override_variable);
  const bool is_asked = asked && *asked;
  if (is_asked) names = {asked};
  for (const char* name : names) {
    if ((handle_ = dlopen(name, RTLD_NOW | RTLD_LOCAL))) {
      file_ = name, why_.clear();
      return;
    }
    // Of a file that is there the system says what is wrong with it; of one that is not it names that, and not what that needs.
    const char* const error = dlerror();
    const std::string text = error ? error : "no reason is given", missing = std::string(name) + ": cannot open shared object file: No such file";
    if (is_asked) why_ = std::string(override_variable) + "=" + asked + " cannot be loaded: " + text;
    else if (text.rfind(missing, 0) != 0) why_ = std::string(name) + " cannot be loaded: " + text;
  }
  if (why_.empty()) why_ = std::string("there is no ") + title + " on this machine";
}

void* SharedLibrary::address(const char* name) {
  void* const found = handle_ ? dlsym(handle_, name) : nullptr;
  if (found || !handle_) return found;
  why_ = file_ + " has no function " + name + ": it is another version than kcc knows";
  dlclose(handle_);
  handle_ = nullptr;
  return nullptr;
}

}  // namespace kcc
