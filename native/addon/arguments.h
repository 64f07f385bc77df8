// Reading JavaScript values. Every function returns false, or null, with a JavaScript exception pending when a value is
// not what it must be. The plain C calls are used here because they cost half of the wrappers, and compile faster.
#pragma once
#include <node_api.h>
#include <stdint.h>
#include <stdlib.h>

namespace kcc {

// Throws a TypeError (fail) or an Error (fail_error) with a printf-like text; returns false.
bool fail(napi_env env, const char* format, ...) __attribute__((format(printf, 2, 3)));
bool fail_error(napi_env env, const char* format, ...) __attribute__((format(printf, 2, 3)));

struct Bytes {
  char* data = nullptr;
  size_t length = 0;
};

// A typed array of any element type. A detached one is refused.
bool read_bytes(napi_env env, napi_value value, const char* what, Bytes* out, napi_typedarray_type* type = nullptr);
// A whole number in [low, high].
bool read_integer(napi_env env, napi_value value, const char* what, double low, double high, int64_t* out);
// The elements of an array of exactly `count` elements, into values[0 .. count).
bool read_elements(napi_env env, napi_value array, const char* what, uint32_t count, napi_value* values);

constexpr double kMaxInteger = 9007199254740991;  // 2^53 - 1
constexpr double kMaxDim = 1099511627776;         // 2^40: products of a few still fit

// `count` values: a few on the stack, many on the heap.
class Values {
 public:
  explicit Values(size_t count) : data_(count > 32 ? (napi_value*)malloc(count * sizeof(napi_value)) : stack_) {}
  ~Values() { if (data_ != stack_) free(data_); }
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;
  napi_value* data() { return data_; }

 private:
  napi_value stack_[32];
  napi_value* data_;
};

}  // namespace kcc
