// A library that may be on the machine or not: opened when something asks for it, never linked. It stays for the process, as its code on
// the GPU does.
#pragma once
#include <string>
#include <vector>

namespace kcc {

class SharedLibrary {
 public:
  // The first of `names` that the system finds, or the file that the environment variable `override_variable` names and no other.
  SharedLibrary(const char* title, const char* override_variable, std::vector<const char*> names);
  SharedLibrary(const SharedLibrary&) = delete;
  SharedLibrary& operator=(const SharedLibrary&) = delete;

  bool is_open() const { return handle_ != nullptr; }
  // Why it is not, or has not all that is needed; empty where it has.
  const std::string& why() const { return why_; }
  const std::string& file() const { return file_; }

  // Each function by its name; the first that is missing closes the library.
  template <class Function>
  void find(const char* name, Function* function) {
    *function = (Function)address(name);
  }

 private:
  void* address(const char* name);

  void* handle_ = nullptr;
  std::string file_, why_;
};

}  // namespace kcc
