#include "arguments.h"

#include <stdarg.h>
#include <stdio.h>

namespace kcc {

bool fail(napi_env env, const char* format, ...) {
  char text[512];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  napi_throw_type_error(env, nullptr, text);
  return false;
}

bool fail_error(napi_env env, const char* format, ...) {
  char text[512];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  napi_throw_error(env, nullptr, text);
  return false;
}

static size_t element_size(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array: case napi_uint8_array: case napi_uint8_clamped_array: return 1;
    case napi_int16_array: case napi_uint16_array: return 2;
    case napi_int32_array: case napi_uint32_array: case napi_float32_array: return 4;
    default: return 8;
  }
}

bool read_bytes(napi_env env, napi_value value, const char* what, Bytes* out, napi_typedarray_type* type) {
  napi_typedarray_type found;
  size_t count;
  void* data;
  if (napi_get_typedarray_info(env, value, &found, &count, &data, nullptr, nullptr) != napi_ok) return fail(env, "%s must be a typed array", what);
  if (count == 0) {  // empty, or what is left of an array whose memory went elsewhere
    napi_value buffer;
    bool detached = false;
    napi_get_typedarray_info(env, value, nullptr, nullptr, nullptr, &buffer, nullptr);
    napi_is_detached_arraybuffer(env, buffer, &detached);
    if (detached) return fail(env, "%s was detached from its memory", what);
  }
  out->data = (char*)data;
  out->length = count * element_size(found);
  if (type) *type = found;
  return true;
}

bool read_integer(napi_env env, napi_value value, const char* what, double low, double high, int64_t* out) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok) return fail(env, "%s must be a number", what);
  if (!(number >= low && number <= high) || number != (double)(int64_t)number)
    return fail(env, "%s must be a whole number from %.0f to %.0f, not %g", what, low, high, number);
  *out = (int64_t)number;
  return true;
}

bool read_elements(napi_env env, napi_value array, const char* what, uint32_t count, napi_value* values) {
  bool is_array = false;
  uint32_t length = 0;
  if (napi_is_array(env, array, &is_array) != napi_ok || !is_array || napi_get_array_length(env, array, &length) != napi_ok)
    return fail(env, "%s must be an array", what);
  if (length != count) return fail(env, "expected %u %s, got %u", count, what, length);
  for (uint32_t i = 0; i < count; i++)
    if (napi_get_element(env, array, i, &values[i]) != napi_ok) return false;
  return true;
}

}  // namespace kcc
