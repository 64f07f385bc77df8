// Which products libraries compute in place of our own kernels. Nothing is guessed and nothing is measured by the way: without a
// choice that was made before, by a measurement on a GPU of this kind, our own kernels run. So results are the same bits from
// run to run, and a library is not even opened.
#pragma once
#include "library.h"

#include <map>
#include <memory>
#include <string>

namespace kcc {

// Hears of the products of a function as it runs on this thread; the products of other functions start our own kernels.
class Listener {
 public:
  virtual void hear(const MatrixProduct& product, gpu::Stream stream, const OwnLaunches& own) = 0;

 protected:
  ~Listener() = default;
};

class Listening {
 public:
  explicit Listening(Listener* listener);
  ~Listening();
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
};

// Which library can be asked: the one that multiplies matrices, or the one whose filters slide over arrays.
enum Which { kCublaslt, kCudnn, kLibraries };
inline Which library_for(const MatrixProduct& product) { return product.over == Over::kMatrices ? kCublaslt : kCudnn; }
const char* title_of(Which which);

// What computes a product. Times are nanoseconds, 0 where there was none to measure.
struct Choice {
  Which library = kCublaslt;
  bool is_library = false;
  bool is_short = false;  // the library had too little memory when it was to start last: our own kernels did it
  Way way = {};
  int64_t own_ns = 0, library_ns = 0;
  std::string why;  // where times do not tell
};

// Of one device handle. As a listener it starts what was chosen.
class Libraries : public Listener {
 public:
  Libraries() = default;
  ~Libraries();

  // Choices as `text` gave them, in place of those there are, which stay where one cannot be read.
  gpu::Failure read(const char* lines);
  // "cublaslt <version>", "cudnn <version>", then a line for each choice, with tabs between: kernel, rows, columns, terms, "own", "library"
  // or "library, then end", the library's name, its algorithm, workspace, nanoseconds of our own and of the library, and why.
  const char* text();
  // Products without a choice are measured before they first run.
  bool measures = false;

  bool is_wanted() const { return measures || names_library_; }
  // Could the library be asked at all? Opens it.
  bool is_ready(Which which);
  // Is a library to compute it, and can that be asked? Opens it.
  bool is_to_compute(const MatrixProduct& product);
  const Choice* find(const MatrixProduct& product) const;
  void keep(const MatrixProduct& product, const Choice& choice);
  // Starts a product as it was chosen; false where kernels of our own are to do it, from now on if the library has refused or has done
  // what cannot be recorded. Memory that is missing may be there the next time.
  bool start_chosen(const MatrixProduct& product, gpu::Stream stream, const OwnLaunches& own);
  const Library& library(Which which) const { return *libraries_[which]; }

  // Memory that libraries use, at the cost of what was in it; at most half of what is free, as logs and data sets come later. True
  // when it has moved.
  bool reserve(int64_t bytes);
  void release();
  int64_t bytes() const { return bytes_; }
  // What a way takes of it: for sums that lie nowhere else, for operands that are copied, and as workspace.
  static int64_t room_for(const MatrixProduct& product, const Way& way);
  // The product as the library is asked for it: with operands that are copied, where they are then.
  MatrixProduct placed(const MatrixProduct& product, const Way& way) const;
  // Starts a product in this way, and its end.
  gpu::Failure start(const MatrixProduct& product, const Way& way, gpu::Stream stream, const OwnLaunches& own) const;
  // Where the product lies before it is ended.
  void* place_of(const MatrixProduct& product, const Way& way) const;

  void hear(const MatrixProduct& product, gpu::Stream stream, const OwnLaunches& own) override;
  // Has a library started anything since the last time this was asked?
  bool has_started() { const bool was = has_started_; return has_started_ = false, was; }
  // Has one spoiled what was recorded? Its product is our own from then on.
  bool has_spoiled() { const bool was = has_spoiled_; return has_spoiled_ = false, was; }
  // All choices of a library go back to our own kernels, or of all libraries.
  void refuse(const std::string& why, Which which = kLibraries);

  // Most that a library may use besides sums and rounded copies of operands.
  static constexpr int64_t kMostWorkspace = (int64_t)32 << 20;

 private:
  std::map<std::string, Choice> choices_;
  std::unique_ptr<Library> libraries_[kLibraries];
  int64_t read_versions_[kLibraries] = {};  // of the libraries that the choices are for; 0: none was named
  bool names_library_ = false, has_started_ = false, has_spoiled_ = false;
  char* memory_ = nullptr;
  int64_t bytes_ = 0;
  std::string text_;
};

// What the products of a function need before it runs. Opens the libraries that are to compute any, so that one that cannot be asked
// needs nothing.
struct ProductNeeds : Listener {
  explicit ProductNeeds(Libraries* libraries) : libraries(libraries) {}
  void hear(const MatrixProduct& product, gpu::Stream stream, const OwnLaunches& own) override;

  Libraries* const libraries;
  int64_t bytes = 0;
  int unknown = 0, chosen = 0;
};

// Starts the library once for each product that it is to compute, without its end: what it loads then would not be there when its
// work is recorded. Sums that would lie in a variable go to memory of the libraries' own, where that has room.
struct FirstStarts : Listener {
  FirstStarts(Libraries* libraries, const char* variables, int64_t bytes) : libraries(libraries), variables(variables), bytes(bytes) {}
  void hear(const MatrixProduct& product, gpu::Stream stream, const OwnLaunches& own) override;

  Libraries* const libraries;
  const char* const variables;
  const int64_t bytes;
};

}  // namespace kcc
