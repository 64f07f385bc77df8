#include "loop-plan.h"

namespace kcc {
namespace {

struct Reader {
  napi_env env;
  napi_value from;

  bool get(const char* name, napi_value* value) const { return napi_get_named_property(env, from, name, value) == napi_ok; }
  bool integer(const char* name, double low, double high, int64_t* out) const {
    napi_value value;
    return get(name, &value) && read_integer(env, value, name, low, high, out);
  }
  bool null(napi_value value) const {
    napi_valuetype type;
    return napi_typeof(env, value, &type) == napi_ok && (type == napi_null || type == napi_undefined);
  }
  bool elements(const char* name, std::vector<napi_value>* out) const {
    napi_value array;
    uint32_t length = 0;
    if (!get(name, &array)) return false;
    if (napi_get_array_length(env, array, &length) != napi_ok) return fail(env, "%s must be an array", name);
    out->resize(length);
    return read_elements(env, array, name, length, out->data());
  }
  // Columns of at least `rows` rows.
  bool columns(const char* name, int64_t rows, std::vector<Column>* out) const {
    std::vector<napi_value> objects;
    if (!elements(name, &objects)) return false;
    for (napi_value object : objects) {
      napi_value data, size;
      Bytes bytes;
      int64_t row_bytes;
      if (napi_get_named_property(env, object, "data", &data) != napi_ok || napi_get_named_property(env, object, "rowBytes", &size) != napi_ok)
        return fail(env, "%s must be columns", name);
      if (!read_integer(env, size, "rowBytes", 0, kMaxDim, &row_bytes) || !read_bytes(env, data, "a column", &bytes)) return false;
      if (row_bytes && (int64_t)bytes.length / row_bytes < rows)
        return fail(env, "%s: a column of %lld bytes has no %lld rows of %lld bytes", name, (long long)bytes.length, (long long)rows,
                    (long long)row_bytes);
      out->push_back({bytes.data, row_bytes});
    }
    return true;
  }
};

// The order's entries for the batches to be run, each within the samples.
bool read_order(const Reader& reader, Loop* plan, int64_t first_batch) {
  napi_value value;
  if (!reader.get("order", &value)) return false;
  if (reader.null(value)) return true;
  Bytes bytes;
  napi_typedarray_type type;
  if (!read_bytes(reader.env, value, "order", &bytes, &type)) return false;
  if (type != napi_int32_array || (int64_t)bytes.length / 4 < plan->samples)
    return fail(reader.env, "order must be an Int32Array with an entry for every sample");
  plan->order = (const int32_t*)bytes.data;
  int64_t end = plan->last_batch * plan->batch_size < plan->samples ? plan->last_batch * plan->batch_size : plan->samples;
  for (int64_t i = first_batch * plan->batch_size; i < end; i++)
    if (plan->order[i] < 0 || plan->order[i] >= plan->samples)
      return fail(reader.env, "order names sample %d of %lld", plan->order[i], (long long)plan->samples);
  return true;
}

bool read_logs(const Reader& reader, Loop* plan) {
  napi_value value;
  if (!reader.get("logs", &value) || !reader.integer("scalarOutputs", 0, 65536, &plan->scalar_outputs)) return false;
  if (plan->scalar_outputs == 0) return true;
  Bytes bytes;
  napi_typedarray_type type;
  if (!read_bytes(reader.env, value, "logs", &bytes, &type)) return false;
  if (type != napi_float32_array || (int64_t)bytes.length / 4 < plan->last_batch * plan->scalar_outputs)
    return fail(reader.env, "logs must be a Float32Array with scalarOutputs numbers for every batch");
  plan->logs = (float*)bytes.data;
  int64_t log;
  if (!reader.integer("log", 0, kMaxInteger, &log)) return false;
  plan->log = (uint64_t)log;
  return true;
}

bool read_dims(const Reader& reader, const Instance& instance, Loop* plan) {
  std::vector<napi_value> values;
  if (!reader.elements("dims", &values)) return false;
  if (values.size() != instance.module()->dim_count)
    return fail(reader.env, "expected %u dims, got %u", instance.module()->dim_count, (uint32_t)values.size());
  plan->dims.resize(values.size());
  for (size_t i = 0; i < values.size(); i++)
    if (!read_integer(reader.env, values[i], "a dimension", 0, kMaxDim, &plan->dims[i])) return false;
  return reader.integer("batchDim", -1, (double)values.size() - 1, &plan->batch_dim);
}

bool read_range(const Reader& reader, Loop* plan, int64_t* first_batch, double* budget_ms) {
  napi_value budget;
  if (!reader.integer("samples", 0, 2147483647, &plan->samples) || !reader.integer("batchSize", 1, 2147483647, &plan->batch_size)) return false;
  int64_t batches = (plan->samples + plan->batch_size - 1) / plan->batch_size;
  if (!reader.integer("lastBatch", 0, (double)batches, &plan->last_batch)) return false;
  if (!reader.integer("firstBatch", 0, (double)batches, first_batch)) return false;
  if (!reader.get("budgetMs", &budget)) return false;
  return napi_get_value_double(reader.env, budget, budget_ms) == napi_ok || fail(reader.env, "budgetMs must be a number");
}

}  // namespace

bool read_loop(napi_env env, const Instance& instance, napi_value from, Loop* plan, int64_t* first_batch, double* budget_ms) {
  Reader reader = {env, from};
  int64_t number;
  plan->logs = nullptr;
  plan->log = plan->data = 0;
  plan->order = nullptr;
  if (!reader.integer("fn", 0, (double)instance.module()->function_count - 1, &number)) return false;
  plan->function = &instance.module()->functions[number];
  if (!read_range(reader, plan, first_batch, budget_ms) || !read_dims(reader, instance, plan)) return false;
  if (!read_order(reader, plan, *first_batch) || !read_logs(reader, plan)) return false;
  int64_t data;
  if (!reader.integer("data", 0, kMaxInteger, &data)) return false;
  plan->data = (uint64_t)data;
  if (!reader.columns("inputs", plan->samples, &plan->inputs) || !reader.columns("outputs", plan->samples, &plan->outputs)) return false;
  size_t outputs = plan->outputs.size() + (size_t)plan->scalar_outputs;
  if (plan->inputs.size() == plan->function->input_count && outputs == plan->function->output_count) return true;
  return fail(env, "%s has %u inputs and %u outputs, the plan %u and %u", plan->function->name, plan->function->input_count,
              plan->function->output_count, (uint32_t)plan->inputs.size(), (uint32_t)outputs);
}

}  // namespace kcc
