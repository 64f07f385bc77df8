// A function for one set of sizes on a device: its launches, recorded once over fixed places of memory and then repeated. What
// changes from call to call (random step, learning rates, inputs) lies at those places, in one block that is copied in.
//
// There are several such sets of places, so that a call's inputs are gathered and copied while another is computed and a
// third's results are on their way back.
#pragma once
#include "data-sets.h"
#include "laps.h"
#include "libraries.h"
#include "runtime.h"
#include "kcc/device.h"

#include <vector>

namespace kcc {

// Streams of one device handle: of kernels, of inputs on their way there, of results on their way back.
struct Streams {
  gpu::Stream kernels = nullptr, in = nullptr, out = nullptr;
  StepTimes times;
  gpu::Failure make();
  void release();
};

// The part of a call's inputs that is the same for all functions; run-time scalars follow it.
struct Parameters {
  uint64_t seed, step;
  float* kept;  // of the device: where the outputs, each a float, are wanted as well; null: nowhere
};

// Places of the device, beside a call's own, that it takes and gives values at.
struct OnDevice {
  float* kept;          // see Parameters
  const DataSet* data;  // what the batch is gathered from; null: the host gives it
};

// Memory of the device and of the host beside it, which are copied as one.
struct Staging {
  char* device = nullptr;
  char* host = nullptr;
  int64_t bytes = 0;

  gpu::Failure reserve(int64_t wanted);
  void release();
};

// What a recording needs to know of the module and its values on the device.
struct Home {
  const kcc_module* module;
  void* const* variables;
  char* arena;
  Libraries* libraries;
};

class Recording {
 public:
  // Slots of calls under way at once: one is filled, one waits, one is computed.
  static constexpr int kSlots = 3;

  Recording(const Home& home, const kcc_function& function, const int64_t* dims);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  bool is_of(const kcc_function& function, const int64_t* dims) const;
  // Bytes of one slot on the device.
  int64_t slot_bytes() const { return in_bytes_ + out_bytes_; }
  // Of the device that it holds.
  int64_t bytes() const;
  // Are all outputs one float each?
  bool keeps_rows() const;
  int64_t output_count() const { return function_.output_count; }

  // Starts a call after those before. With a place for kept outputs nothing is copied out; of a batch that is gathered on the
  // device only the numbers of its samples are copied in.
  gpu::Failure start(Streams& streams, const kcc_call& call, const kcc_batch& batch, const OnDevice& there);
  // Tells a listener of the function's products, in their order, and starts nothing of it.
  gpu::Failure tell(Streams& streams, Listener* listener);
  // Takes the memory of all slots, which calls do one by one.
  gpu::Failure reserve();
  // The calls that are under way have ended, and their results are where they were wanted.
  gpu::Failure finish();
  // The device is lost: nobody waits for it.
  void abandon();

  uint64_t used = 0;  // when, for the driver that keeps the recordings

 private:
  // Where one call's inputs and outputs lie, and its launches over them.
  struct Slot {
    Staging in, out, chosen;
    gpu::Graph graph = nullptr;
    gpu::Event copied = nullptr, computed = nullptr, done = nullptr;
    std::vector<void*> results;  // of the host, for the call that is running; none where they stay on the device
    bool is_made = false, is_busy = false, is_gathered = false;
    bool is_cleared = false;  // what lies between the outputs
  };

  gpu::Failure take_slot(Slot** taken);
  gpu::Failure make_slot(Slot& slot);
  void fill(Slot& slot, const kcc_call& call, const kcc_batch& batch, float* kept);
  gpu::Failure choose(Slot& slot, const kcc_call& call, const kcc_batch& batch, const OnDevice& there);
  void put_parameters(char* into, const kcc_call& call, float* kept) const;
  gpu::Failure gather(const Slot& slot, gpu::Stream stream) const;
  gpu::Failure launch(Streams& streams, Slot& slot);
  gpu::Failure clear_gaps(Slot& slot, gpu::Stream stream);
  gpu::Failure repeat(Streams& streams, const Slot& slot);
  gpu::Failure record(gpu::Stream stream, Slot& slot);
  gpu::Failure record_once(gpu::Stream stream, Slot& slot);
  // Starts the function's kernels over the slot's places; the same with the time of each written down.
  gpu::Failure run(gpu::Stream stream, const Slot& slot);
  gpu::Failure run_timed(gpu::Stream stream, const Slot& slot);
  gpu::Failure finish(Slot& slot);
  // Of the addresses of a data set's columns and of the parameters, which lie between those and numbers of samples.
  int64_t column_bytes() const { return room((int64_t)((function_.input_count + 1) * sizeof(char*))); }
  int64_t parameter_bytes() const { return room((int64_t)(sizeof(Parameters) + home_.module->scalar_count * sizeof(float))); }
  int64_t output_bytes(uint32_t output) const { return tensor_bytes_[function_.input_count + output]; }

  const Home home_;
  const kcc_function& function_;
  const std::vector<int64_t> dims_;
  std::vector<int64_t> tensor_bytes_;  // of inputs, then of outputs
  int64_t in_bytes_ = 0, out_bytes_ = 0;
  Slot slots_[kSlots];
  int64_t count_ = 0;  // samples of a call; 0 until one was gathered
  int next_ = 0;
};

}  // namespace kcc
