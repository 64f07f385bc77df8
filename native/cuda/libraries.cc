#include "libraries.h"
#include "cublaslt.h"
#include "cudnn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <algorithm>

namespace kcc {

using gpu::Failure;

// ---- listeners

static thread_local Listener* listening = nullptr;

Listening::Listening(Listener* listener) { listening = listener; }
Listening::~Listening() { listening = nullptr; }

// ---- choices as text

static std::string key_of(const MatrixProduct& p) {
  char sizes[80];
  snprintf(sizes, sizeof sizes, "\t%lld\t%lld\t%lld", (long long)p.rows, (long long)p.columns, (long long)p.terms);
  return p.kernel + std::string(sizes);
}

static std::string hex_of(const Algorithm& algorithm) {
  std::string text;
  char word[20];
  for (uint64_t data : algorithm.data) text += (snprintf(word, sizeof word, "%016llx", (unsigned long long)data), word);
  return text;
}

static bool read_hex(const std::string& text, Algorithm* algorithm) {
  if (text.size() != 16 * 8 || text.find_first_not_of("0123456789abcdef") != std::string::npos) return false;
  for (size_t i = 0; i < 8; i++) algorithm->data[i] = strtoull(text.substr(16 * i, 16).c_str(), nullptr, 16);
  return true;
}

static std::vector<std::string> parts_of(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

static const char* const kNames[kLibraries] = {"cublaslt", "cudnn"};
static const char* const kTitles[kLibraries] = {"cuBLASLt", "cuDNN"};

const char* title_of(Which which) { return kTitles[which]; }

static const char* const kWho[] = {"own", "library", "library, then end"};

static bool is_by_library(const Choice& choice) { return choice.is_library && !choice.is_short; }
static const char* who(const Choice& choice) { return kWho[!is_by_library(choice) ? 0 : choice.way.is_ended ? 1 : 2]; }

// Kernel, rows, columns, terms, who, library, algorithm, workspace, nanoseconds of both, and why.
static bool read_choice(const std::vector<std::string>& parts, std::string* key, Choice* choice) {
  if (parts.size() != 11) return false;
  *key = parts[0] + "\t" + parts[1] + "\t" + parts[2] + "\t" + parts[3];
  const auto* const found = std::find(std::begin(kWho), std::end(kWho), parts[4]);
  const auto* const library = std::find(std::begin(kNames), std::end(kNames), parts[5]);
  if (found == std::end(kWho) || library == std::end(kNames)) return false;
  choice->is_library = found != kWho, choice->way.is_ended = found == kWho + 1, choice->library = (Which)(library - kNames);
  choice->way.workspace = atoll(parts[7].c_str()), choice->own_ns = atoll(parts[8].c_str()), choice->library_ns = atoll(parts[9].c_str());
  choice->why = parts[10];
  return !choice->is_library || read_hex(parts[6], &choice->way.algorithm);
}

// "cudnn 92400"
static bool read_version(const std::string& line, int64_t* versions) {
  for (int which = 0; which < kLibraries; which++) {
    const std::string name = kNames[which] + std::string(" ");
    if (line.rfind(name, 0) == 0) return versions[which] = atoll(line.c_str() + name.size()), true;
  }
  return false;
}

Failure Libraries::read(const char* lines) {
  std::map<std::string, Choice> choices;
  int64_t versions[kLibraries] = {};
  bool names_library = false;
  for (const std::string& line : parts_of(lines, '\n')) {
    if (line.empty() || read_version(line, versions)) continue;
    std::string key;
    Choice choice;
    if (!read_choice(parts_of(line, '\t'), &key, &choice)) return gpu::fail("cannot read the choice \"%.200s\"", line.c_str());
    choices[key] = choice, names_library |= choice.is_library;
  }
  choices_.swap(choices), names_library_ = names_library;
  std::copy(std::begin(versions), std::end(versions), read_versions_);
  return nullptr;
}

const char* Libraries::text() {
  text_.clear();
  for (int which = 0; which < kLibraries; which++) {
    const Library* const library = libraries_[which].get();
    text_ += kNames[which] + std::string(" ") + std::to_string(library && library->is_ready() ? library->version() : read_versions_[which]) + "\n";
  }
  for (const auto& [key, c] : choices_) {
    text_ += key + "\t" + who(c) + "\t" + kNames[c.library] + "\t" + (is_by_library(c) ? hex_of(c.way.algorithm) : "-") + "\t" + std::to_string(c.way.workspace);
    text_ += "\t" + std::to_string(c.own_ns) + "\t" + std::to_string(c.library_ns) + "\t" + c.why + "\n";
  }
  return text_.c_str();
}

const Choice* Libraries::find(const MatrixProduct& product) const {
  const auto found = choices_.find(key_of(product));
  return found == choices_.end() ? nullptr : &found->second;
}

void Libraries::keep(const MatrixProduct& product, const Choice& choice) {
  choices_[key_of(product)] = choice;
  names_library_ |= choice.is_library;
}

void Libraries::refuse(const std::string& why, Which which) {
  names_library_ = false;
  for (auto& [key, choice] : choices_) {
    if (choice.is_library && (which == kLibraries || which == choice.library)) choice.is_library = false, choice.why = why;
    names_library_ |= choice.is_library;
  }
}

// ---- the libraries

// 130101 is 13.1.1.
static std::string version_text(int64_t version) {
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." + std::to_string(version % 100);
}

Libraries::~Libraries() { release(); }

bool Libraries::is_ready(Which which) {
  std::unique_ptr<Library>& library = libraries_[which];
  if (!library && which == kCublaslt) library.reset(new Cublaslt());
  if (!library && which == kCudnn) library.reset(new Cudnn());
  if (!library->is_ready()) return refuse(library->why(), which), false;
  const int64_t version = library->version(), read = read_versions_[which];
  if (read && read != version) refuse(std::string("measured with ") + kTitles[which] + " " + version_text(read) + ", and this is " + version_text(version), which);
  read_versions_[which] = version;
  return true;
}

// A library of another version refuses what was chosen, this among it.
bool Libraries::is_to_compute(const MatrixProduct& product) {
  const auto found = choices_.find(key_of(product));
  if (found == choices_.end() || !found->second.is_library) return false;
  Choice& choice = found->second;
  // Somebody may have written into the file.
  const char* const fault = choice.library != library_for(product) ? " is not asked for such products" : choice.way.is_ended && !product.is_ended ? " does not end such products" : nullptr;
  if (fault) choice.is_library = false, choice.why = title_of(choice.library) + std::string(fault);
  return choice.is_library && is_ready(choice.library) && choice.is_library;
}

bool Libraries::reserve(int64_t bytes) {
  int64_t free = 0, total = 0;
  if (bytes <= bytes_ || gpu::memory(&free, &total) || bytes > (free + bytes_) / 2) return false;
  const int64_t before = bytes_;
  release();
  // Others may have taken it meanwhile. What there was is enough for some, and our own kernels do the rest.
  for (int64_t wanted : {bytes, before})
    if (!memory_ && !gpu::allocate((void**)&memory_, wanted)) bytes_ = wanted;
  return true;
}

void Libraries::release() {
  gpu::release(memory_);
  memory_ = nullptr, bytes_ = 0;
}

// ---- products

// A library's filter lies in an order that no kernel of ours reads but an end.
static bool has_place(const MatrixProduct& product, const Way& way) {
  return product.into && product.over != Over::kWindowsAsTerms && (way.is_ended || product.result == Format::kFloat32);
}

// The rows of a single one are no stride apart.
static int64_t sums_room(const MatrixProduct& product, const Way& way) {
  return has_place(product, way) ? 0 : room(product.rows * std::max(product.stride, product.columns) * (int64_t)sizeof(float));
}

static int64_t copied_elements(const MatrixProduct& product, bool is_left) {
  const Windows& w = product.windows;
  if (is_left && product.over != Over::kMatrices) return w.samples * w.down.length * w.across.length * w.channels;
  return (is_left ? product.rows : product.columns) * product.terms;
}

static int64_t copy_room(const MatrixProduct& product, bool is_left) {
  const Factor& factor = is_left ? product.left : product.right;
  return factor.is_copied ? room(copied_elements(product, is_left) * (product.operands == Format::kBFloat16 ? 2 : 4)) : 0;
}

static int64_t copies_room(const MatrixProduct& product) { return copy_room(product, true) + copy_room(product, false); }

int64_t Libraries::room_for(const MatrixProduct& product, const Way& way) { return sums_room(product, way) + copies_room(product) + way.workspace; }

// As a kernel of ours leaves it at `at`.
static Factor copied(const MatrixProduct& product, bool is_left, const void* at) {
  const Factor& factor = is_left ? product.left : product.right;
  const bool is_filter = !is_left && product.over == Over::kWindowsAsRows, is_by_terms = is_filter || factor.term == 1;
  return {at, is_by_terms ? product.terms : 1, is_by_terms ? 1 : is_left ? product.rows : product.columns, copied_elements(product, is_left), false, false};
}

static Windows without_gaps(Windows w) {
  w.pixel = w.channels, w.line = w.across.length * w.pixel, w.sample = w.down.length * w.line;
  return w;
}

MatrixProduct Libraries::placed(const MatrixProduct& product, const Way& way) const {
  MatrixProduct asked = product;
  char* const left = memory_ + sums_room(product, way);
  if (product.left.is_copied) asked.left = copied(product, true, left), asked.windows = without_gaps(product.windows);
  if (product.right.is_copied) asked.right = copied(product, false, left + copy_room(product, true));
  return asked;
}

void* Libraries::place_of(const MatrixProduct& product, const Way& way) const { return has_place(product, way) ? product.into : memory_; }

Failure Libraries::start(const MatrixProduct& product, const Way& way, gpu::Stream stream, const OwnLaunches& own) const {
  const Which which = library_for(product);
  if (room_for(product, way) > bytes_) return gpu::fail("%.1f MB that %s needs for it are not free", (double)room_for(product, way) / 1e6, title_of(which));
  void* const place = place_of(product, way);
  const MatrixProduct asked = placed(product, way);
  if (product.left.is_copied) own.copy(own.with, true, (void*)asked.left.at);
  if (product.right.is_copied) own.copy(own.with, false, (void*)asked.right.at);
  if (Failure failure = libraries_[which]->start(asked, way, place, memory_ + sums_room(product, way) + copies_room(product), stream)) return failure;
  if (!way.is_ended) own.end(own.with, (const float*)place);
  return nullptr;
}

bool Libraries::start_chosen(const MatrixProduct& product, gpu::Stream stream, const OwnLaunches& own) {
  if (!is_to_compute(product)) return false;
  Choice& choice = choices_[key_of(product)];
  const Failure failure = start(product, choice.way, stream, own);
  choice.why = failure ? failure : "";
  if (failure) gpu::started();  // an error that it has left behind is told
  if (gpu::is_spoiled(stream)) has_spoiled_ = true, choice.why = "its work cannot be recorded" + (failure ? ": " + choice.why : "");
  choice.is_short = failure && room_for(product, choice.way) > bytes_;
  choice.is_library = choice.why.empty() || choice.is_short;
  return choice.why.empty();
}

void Libraries::hear(const MatrixProduct& product, gpu::Stream stream, const OwnLaunches& own) {
  if (gpu::is_spoiled(stream)) return;  // all is recorded again
  if (start_chosen(product, stream, own)) has_started_ = true;
  else own.whole(own.with);
}

void FirstStarts::hear(const MatrixProduct& product, gpu::Stream stream, const OwnLaunches& own) {
  const char* const into = (const char*)product.into;
  MatrixProduct first = product;
  if (into >= variables && into < variables + bytes) first.into = nullptr;
  const Choice* const choice = libraries->find(product);
  if (!choice || Libraries::room_for(first, choice->way) > libraries->bytes()) return;
  const OwnLaunches endless = {own.whole, [](const void*, const float*) {}, own.copy, own.with};
  starts_nothing = false;
  libraries->start_chosen(first, stream, endless);
  starts_nothing = true;
}

void ProductNeeds::hear(const MatrixProduct& product, gpu::Stream, const OwnLaunches&) {
  const Choice* const choice = libraries->find(product);
  if (!choice) unknown++;
  else if (libraries->is_to_compute(product)) chosen++, bytes = std::max(bytes, Libraries::room_for(product, choice->way));
}

}  // namespace kcc

// With no listener, and of sizes that are none, our own kernels; they start nothing for the latter.
extern "C" void kcc_cuda_product(const kcc::MatrixProduct* product, void* stream, const kcc::OwnLaunches* own) {
  const bool is_empty = product->rows == 0 || product->columns == 0 || product->terms == 0;
  if (kcc::listening && !is_empty) kcc::listening->hear(*product, stream, *own);
  else own->whole(own->with);
}
