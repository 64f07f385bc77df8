#include "recording.h"
#include "kcc/cuda/launch.h"

#include <string.h>
#include <algorithm>

namespace kcc {

using gpu::Failure;

// ---- rows of a log

namespace {

struct KeepArgs {
  const Parameters* parameters;
  const char* outputs;  // each in a room of its own
  int64_t count, room;
};

// Outputs of one float each, as a row of a log that no host waits for.
__global__ void __launch_bounds__(kWarp) keep_row(const KeepArgs args) {
  float* const row = args.parameters->kept;
  if (row == nullptr) return;
  for (int64_t i = threadIdx.x; i < args.count; i += kWarp) row[i] = *(const float*)(args.outputs + i * args.room);
}

}  // namespace

// ---- memory

Failure Streams::make() {
  if (Failure failure = gpu::make_stream(&kernels)) return failure;
  if (Failure failure = gpu::make_stream(&in)) return failure;
  return gpu::make_stream(&out);
}

void Streams::release() {
  for (gpu::Stream stream : {kernels, in, out}) gpu::release_stream(stream);
}

Failure Staging::reserve(int64_t wanted) {
  release();
  Failure failure = gpu::allocate((void**)&device, wanted);
  if (!failure) failure = gpu::allocate_pinned((void**)&host, wanted);
  if (failure) release();
  else bytes = wanted;
  return failure;
}

void Staging::release() {
  gpu::release(device), gpu::release_pinned(host);
  device = host = nullptr, bytes = 0;
}

// ---- life

Recording::Recording(const Home& home, const kcc_function& function, const int64_t* dims)
    : home_(home), function_(function), dims_(dims, dims + home.module->dim_count), tensor_bytes_(function.input_count + function.output_count) {
  function.tensor_bytes(dims_.data(), tensor_bytes_.data());
  in_bytes_ = parameter_bytes();
  for (uint32_t i = 0; i < function.input_count; i++) in_bytes_ += room(tensor_bytes_[i]);
  for (uint32_t i = 0; i < function.output_count; i++) out_bytes_ += room(output_bytes(i));
}

Recording::~Recording() {
  for (Slot& slot : slots_) {
    gpu::release_graph(slot.graph);
    for (gpu::Event event : {slot.copied, slot.computed, slot.done}) gpu::release_event(event);
    slot.in.release(), slot.out.release(), slot.chosen.release();
  }
}

bool Recording::is_of(const kcc_function& function, const int64_t* dims) const {
  return &function_ == &function && std::equal(dims_.begin(), dims_.end(), dims);
}

int64_t Recording::bytes() const {
  int64_t sum = 0;
  for (const Slot& slot : slots_)
    for (const Staging* staging : {&slot.in, &slot.out, &slot.chosen}) sum += staging->device ? staging->bytes : 0;
  return sum;
}

bool Recording::keeps_rows() const {
  return function_.output_count > 0 && std::all_of(tensor_bytes_.begin() + function_.input_count, tensor_bytes_.end(), [](int64_t bytes) { return bytes == (int64_t)sizeof(float); });
}

// ---- calls

Failure Recording::start(Streams& streams, const kcc_call& call, const kcc_batch& batch, const OnDevice& there) {
  Slot* slot = nullptr;
  if (Failure failure = take_slot(&slot)) return failure;
  // Where there is no memory for the numbers of samples, the host gathers the batch.
  slot->is_gathered = there.data && !choose(*slot, call, batch, there);
  if (!slot->is_gathered) fill(*slot, call, batch, there.kept);
  slot->results.assign(call.outputs, call.outputs + (there.kept ? 0 : function_.output_count));
  if (Failure failure = launch(streams, *slot)) return failure;
  slot->is_busy = true;
  return nullptr;
}

Failure Recording::tell(Streams& streams, Listener* listener) {
  if (!slots_[0].is_made)
    if (Failure failure = make_slot(slots_[0])) return failure;
  const Listening products(listener);
  starts_nothing = true;
  const Failure failure = run(streams.kernels, slots_[0]);
  starts_nothing = false;
  return failure;
}

Failure Recording::reserve() {
  for (Slot& slot : slots_)
    if (!slot.is_made)
      if (Failure failure = make_slot(slot)) return failure;
  return nullptr;
}

Failure Recording::finish() {
  for (int i = 0; i < kSlots; i++)
    if (Failure failure = finish(slots_[(next_ + i) % kSlots])) return failure;
  return nullptr;
}

void Recording::abandon() {
  for (Slot& slot : slots_) slot.is_busy = false;
}

// The first where no call is under way; further ones only where calls follow each other without a wait.
Failure Recording::take_slot(Slot** taken) {
  if (!slots_[0].is_busy) next_ = 0;
  Slot& slot = slots_[next_];
  next_ = (next_ + 1) % kSlots;
  if (Failure failure = finish(slot)) return failure;
  *taken = &slot;
  return slot.is_made ? nullptr : make_slot(slot);
}

Failure Recording::make_slot(Slot& slot) {
  if (Failure failure = slot.in.reserve(in_bytes_)) return failure;
  if (Failure failure = slot.out.reserve(out_bytes_)) return failure;
  for (gpu::Event* event : {&slot.copied, &slot.computed, &slot.done})
    if (!*event)
      if (Failure failure = gpu::make_event(event)) return failure;
  slot.is_made = true;
  return nullptr;
}

void Recording::put_parameters(char* into, const kcc_call& call, float* kept) const {
  Parameters* const parameters = (Parameters*)into;
  *parameters = {call.seed, call.step, kept};
  if (home_.module->scalar_count) memcpy(parameters + 1, call.scalars, home_.module->scalar_count * sizeof(float));
}

// Parameters, where the data set's columns are, and which samples the batch has. The samples of a call are as many each time.
Failure Recording::choose(Slot& slot, const kcc_call& call, const kcc_batch& batch, const OnDevice& there) {
  count_ = batch.count;
  if (!slot.chosen.host)
    if (Failure failure = slot.chosen.reserve(parameter_bytes() + column_bytes() + room(count_ * (int64_t)sizeof(int32_t)))) return failure;
  put_parameters(slot.chosen.host, call, there.kept);
  char* const columns = slot.chosen.host + parameter_bytes();
  memcpy(columns, there.data->columns.data(), function_.input_count * sizeof(char*));
  ((const char**)columns)[function_.input_count] = slot.chosen.device;
  int32_t* const rows = (int32_t*)(columns + column_bytes());
  if (batch.order) memcpy(rows, batch.order, (size_t)count_ * sizeof(int32_t));
  else for (int64_t i = 0; i < count_; i++) rows[i] = (int32_t)(batch.first + i);
  return nullptr;
}

// Inputs, and the parameters, to where the function's kernels expect them.
Failure Recording::gather(const Slot& slot, gpu::Stream stream) const {
  std::vector<Gathered> parts;
  char* next = slot.in.device + parameter_bytes();
  for (uint32_t i = 0; i < function_.input_count; next += room(tensor_bytes_[i++])) parts.push_back({next, tensor_bytes_[i] / count_, count_, false});
  parts.push_back({slot.in.device, parameter_bytes(), 1, true});
  const char* const columns = slot.chosen.device + parameter_bytes();
  return gather_rows(parts, (const char* const*)columns, (const int32_t*)(columns + column_bytes()), stream);
}

// Parameters, then inputs, in the memory that is copied in.
void Recording::fill(Slot& slot, const kcc_call& call, const kcc_batch& batch, float* kept) {
  put_parameters(slot.in.host, call, kept);
  std::vector<void*> places(function_.input_count);
  char* next = slot.in.host + parameter_bytes();
  for (uint32_t i = 0; i < function_.input_count; next += room(tensor_bytes_[i++])) places[i] = next;
  if (batch.fill) return batch.fill(batch.context, places.data());
  for (uint32_t i = 0; i < function_.input_count; i++)
    if (tensor_bytes_[i]) memcpy(places[i], call.inputs[i], (size_t)tensor_bytes_[i]);
}

// What lies between outputs is copied out with them, and no kernel writes it. It is written here, and nothing else of them is, so that
// tools that look for reads of unwritten memory name the outputs that no kernel writes, and those alone.
Failure Recording::clear_gaps(Slot& slot, gpu::Stream stream) {
  char* out = slot.out.device;
  for (uint32_t i = 0; i < function_.output_count; out += room(output_bytes(i++))) {
    const int64_t bytes = output_bytes(i);
    if (Failure failure = gpu::zero(out + bytes, room(bytes) - bytes, stream)) return failure;
  }
  slot.is_cleared = true;
  return nullptr;
}

// Inputs go in beside the kernels of the calls before, and results come out beside those of the next.
Failure Recording::launch(Streams& streams, Slot& slot) {
  // Kernels wait for what goes in, and what comes out waits for them.
  if (!slot.is_cleared && !slot.results.empty())
    if (Failure failure = clear_gaps(slot, streams.in)) return failure;
  const Staging& from = slot.is_gathered ? slot.chosen : slot.in;
  if (Failure failure = gpu::copy_in(from.device, from.host, from.bytes, streams.in)) return failure;
  if (slot.is_gathered)
    if (Failure failure = gather(slot, streams.in)) return failure;
  if (Failure failure = gpu::mark(slot.copied, streams.in)) return failure;
  const bool is_timed = Laps::are_wanted();
  if (!is_timed && !slot.graph)
    if (Failure failure = record(streams.kernels, slot)) return failure;
  if (Failure failure = gpu::wait_for(streams.kernels, slot.copied)) return failure;
  if (Failure failure = is_timed ? run_timed(streams.kernels, slot) : repeat(streams, slot)) return failure;
  if (slot.results.empty()) return gpu::mark(slot.done, streams.kernels);
  if (Failure failure = gpu::mark(slot.computed, streams.kernels)) return failure;
  if (Failure failure = gpu::wait_for(streams.out, slot.computed)) return failure;
  if (Failure failure = gpu::copy_out(slot.out.host, slot.out.device, slot.out.bytes, streams.out)) return failure;
  return gpu::mark(slot.done, streams.out);
}

Failure Recording::repeat(Streams& streams, const Slot& slot) {
  if (!StepTimes::are_wanted()) return gpu::repeat(slot.graph, streams.kernels);
  streams.times.begin(streams.kernels);
  const Failure failure = gpu::repeat(slot.graph, streams.kernels);
  streams.times.end(streams.kernels, function_.name);
  return failure;
}

// A library may do what cannot be recorded: then our own kernels are, for the product with which it did or, where none shows, for all.
Failure Recording::record(gpu::Stream stream, Slot& slot) {
  Failure failure = nullptr;
  do home_.libraries->has_started(), failure = record_once(stream, slot);
  while (failure && home_.libraries->has_spoiled());
  if (!failure || !home_.libraries->has_started()) return failure;
  home_.libraries->refuse(std::string("its work cannot be recorded: ") + failure);
  return record_once(stream, slot);
}

Failure Recording::record_once(gpu::Stream stream, Slot& slot) {
  const Listening products(home_.libraries);
  if (Failure failure = gpu::begin_recording(stream)) return failure;
  const Failure refused = run(stream, slot);
  if (Failure failure = gpu::end_recording(stream, &slot.graph)) return failure;
  if (!refused) return nullptr;
  gpu::release_graph(slot.graph);
  slot.graph = nullptr;
  return refused;
}

Failure Recording::run(gpu::Stream stream, const Slot& slot) {
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  const char* in = slot.in.device + parameter_bytes();
  char* out = slot.out.device;
  for (uint32_t i = 0; i < function_.input_count; i++) inputs.push_back(in), in += room(tensor_bytes_[i]);
  for (uint32_t i = 0; i < function_.output_count; i++) outputs.push_back(out), out += room(output_bytes(i));
  kcc_call call = {};
  call.inputs = inputs.data(), call.outputs = outputs.data(), call.variables = home_.variables;
  call.dims = dims_.data(), call.arena = home_.arena, call.stream = stream;
  const Parameters* const parameters = (const Parameters*)slot.in.device;
  call.random = &parameters->seed, call.scalars = (const float*)(parameters + 1);
  refused_items = 0;
  function_.run(&call);
  if (refused_items) return gpu::fail("a kernel over %lld elements, more than the %lld that one may have", (long long)refused_items, (long long)kMostItems);
  if (keeps_rows()) kcc::launch(keep_row, 1, kWarp, stream, KeepArgs{parameters, slot.out.device, output_count(), room(sizeof(float))});
  return nullptr;
}

Failure Recording::run_timed(gpu::Stream stream, const Slot& slot) {
  const Listening products(home_.libraries);
  Laps laps(stream);
  const Failure failure = run(stream, slot);
  return failure ? failure : laps.write(function_.name);
}

// The call in the slot has ended, and its results are where they were wanted.
Failure Recording::finish(Slot& slot) {
  if (!slot.is_busy) return nullptr;
  slot.is_busy = false;
  if (Failure failure = gpu::wait_for(slot.done)) return failure;
  const char* next = slot.out.host;
  for (uint32_t i = 0; i < slot.results.size(); next += room(output_bytes(i++)))
    if (output_bytes(i)) memcpy(slot.results[i], next, (size_t)output_bytes(i));
  return nullptr;
}

}  // namespace kcc
