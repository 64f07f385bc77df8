#include "measure.h"
#include "product-check.h"

#include <time.h>
#include <limits>

namespace kcc {

using gpu::Failure;

// All products of one function at one set of sizes; those that are left keep our own kernels.
static constexpr int64_t kMostNanoseconds = (int64_t)30 * 1000000000;
// Launches of a product in one recording, so that what starts a recording counts for little; of what takes long one is enough.
static constexpr int kRepeated = 20, kRounds = 5;
static constexpr int64_t kLong = 500000;
// A library must be so much faster, in parts of a thousand: less is noise.
static constexpr int64_t kLeastGain = 30;

static int64_t nanoseconds_now() {
  timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

Measurer::Measurer(Libraries* libraries, gpu::Stream stream) : libraries_(libraries), stream_(stream), until_(nanoseconds_now() + kMostNanoseconds) {
  failure_ = gpu::make_timer(&begun_);
  if (!failure_) failure_ = gpu::make_timer(&ended_);
  if (!failure_) failure_ = gpu::allocate((void**)&wrong_, kChecked * (int64_t)sizeof(int32_t));
}

Measurer::~Measurer() {
  gpu::release_event(begun_), gpu::release_event(ended_);
  gpu::release(wrong_);
}

bool Measurer::is_over() const { return failure_ || nanoseconds_now() > until_; }

void Measurer::hear(const MatrixProduct& product, gpu::Stream, const OwnLaunches& own) {
  if (failure_ || libraries_->find(product)) return;
  starts_nothing = false;
  libraries_->keep(product, measure(product, own));
  starts_nothing = true;
}

Choice Measurer::measure(const MatrixProduct& product, const OwnLaunches& own) {
  Choice choice;
  choice.library = library_for(product);
  if (!libraries_->is_ready(choice.library)) return choice.why = libraries_->library(choice.library).why(), choice;
  if (is_over()) return choice.why = "there was no time left to measure it", choice;
  fill_operands(product, stream_);
  choice.own_ns = time([&] { own.whole(own.with); return Failure(nullptr); });
  // An end of its own that does nothing is what a library does by itself.
  if (product.is_ended) try_ways(product, own, true, &choice);
  if (!product.is_ended || product.bias || product.is_above_zero) try_ways(product, own, false, &choice);
  const bool is_faster = choice.library_ns && choice.library_ns < choice.own_ns - choice.own_ns * kLeastGain / 1000;
  if (!is_faster) choice.is_library = false;
  if (choice.library_ns) choice.why.clear();
  return choice;
}

// The fastest of them, where it is the fastest of all.
void Measurer::try_ways(const MatrixProduct& product, const OwnLaunches& own, bool is_ended, Choice* choice) {
  const Way most = {is_ended, {}, Libraries::kMostWorkspace};
  libraries_->reserve(Libraries::room_for(product, most));
  const int64_t left = libraries_->bytes() - Libraries::room_for(product, {is_ended, {}, 0});
  if (left < 0) return void(choice->why = "there is too little memory to measure it");
  void* const place = libraries_->place_of(product, most);
  for (const Way& way : libraries_->library(choice->library).ways(libraries_->placed(product, most), is_ended, place, left < Libraries::kMostWorkspace ? left : Libraries::kMostWorkspace, &choice->why)) {
    if (is_over()) return;
    if (!gives_the_product(product, way, own, choice)) continue;
    const int64_t took = time([&] { return libraries_->start(product, way, stream_, own); });
    if (!took) choice->why = "its work cannot be recorded";
    if (took && (!choice->library_ns || took < choice->library_ns)) choice->library_ns = took, choice->is_library = true, choice->way = way;
  }
}

bool Measurer::gives_the_product(const MatrixProduct& product, const Way& way, const OwnLaunches& own, Choice* choice) {
  // The product alone: its end might store elsewhere what is checked.
  const OwnLaunches endless = {own.whole, [](const void*, const float*) {}, own.copy, own.with};
  if (Failure refused = libraries_->start(product, way, stream_, endless)) return choice->why = refused, false;
  check_product(libraries_->placed(product, way), way.is_ended, libraries_->place_of(product, way), wrong_, stream_);
  int32_t wrong[kChecked], count = 0;
  failure_ = gpu::copy_out(wrong, wrong_, sizeof wrong, stream_);
  if (!failure_) failure_ = gpu::wait(stream_);
  for (int32_t each : wrong) count += each != 0;
  if (failure_ || count == 0) return !failure_;
  return choice->why = std::string(title_of(choice->library)) + " gave another product than asked for, at " + std::to_string(count) + " of " + std::to_string(kChecked) + " places", false;
}

// Nanoseconds of one; 0 where it could not be started.
template <class Start>
int64_t Measurer::time(const Start& start) {
  const int64_t once = time_of(start, 1, 2);
  return once == 0 || once > kLong ? once : time_of(start, kRepeated, kRounds);
}

// The shortest of some rounds, of which one more comes before them.
template <class Start>
int64_t Measurer::time_of(const Start& start, int count, int rounds) {
  gpu::Graph graph = nullptr;
  Failure refused = nullptr;
  if (!failure_) failure_ = gpu::begin_recording(stream_);
  for (int i = 0; i < count && !failure_ && !refused; i++) refused = start();
  if (!failure_) {
    const Failure ended = gpu::end_recording(stream_, &graph);
    if (!refused) refused = ended;
  }
  int64_t best = std::numeric_limits<int64_t>::max();
  for (int round = -1; round < rounds && !failure_ && !refused; round++) {
    int64_t took = 0;
    failure_ = gpu::mark(begun_, stream_);
    if (!failure_) failure_ = gpu::repeat(graph, stream_);
    if (!failure_) failure_ = gpu::mark(ended_, stream_);
    if (!failure_) failure_ = gpu::wait(stream_);
    if (!failure_) failure_ = gpu::nanoseconds(begun_, ended_, &took);
    if (round >= 0 && took < best) best = took;
  }
  gpu::release_graph(graph);
  return failure_ || refused ? 0 : best / count > 0 ? best / count : 1;
}

}  // namespace kcc
