// Speed of the contraction kernels against the measured FMA peak of the machine, shape by shape, and of the whole
// training step of a 784-512-512-10 perceptron (batch 128, dropout, RMSprop), of single predictions, and of a tiny step.
//   g++ -O2 -march=native -std=c++17 -pthread -I native/include test/bench/native/contract-bench.cc -o bench && ./bench 2
// Candidates and an FMA loop run in turns in one process; what is reported is the lower quartile of the times, and the best;
// percentages are of the best rate of the FMA loop.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include "bench-pool.h"
#include "kcc/gemm-kernels.h"
#include "kcc/math.h"
#include "kcc/philox.h"

using kcc::Contraction;
using kcc::vf;

static float* floats(int64_t n, float scale = 0.05f) {
  float* p = static_cast<float*>(aligned_alloc(64, (n * 4 + 4096 + 63) / 64 * 64));
  for (int64_t i = 0; i < n; ++i) p[i] = scale * ((float)((uint32_t)(i * 2654435761u) >> 8) / 16777216.f - 0.5f);
  return p;
}

// On one thread its own time, so that other programs disturb less; on several, the wall clock.
static bool own_time = false;
static double now() {
  if (!own_time) return seconds();
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// ---- the machine's peak

static double fma_rate(int64_t rounds) {
  vf a{}, b = a + 1, c = a + 2, d = a + 3, e = a + 4, f = a + 5, g = a + 6, h = a + 7, i = a + 8, j = a + 9, k = a + 10, l = a + 11;
  vf x = kcc::bcast(1.0001f), y = kcc::bcast(1e-9f);
  const double start = now();
  for (int64_t r = 0; r < rounds; ++r) {
    asm volatile("" : "+v"(x), "+v"(y));
    a = kcc::fma(a, x, y), b = kcc::fma(b, x, y), c = kcc::fma(c, x, y), d = kcc::fma(d, x, y), e = kcc::fma(e, x, y), f = kcc::fma(f, x, y);
    g = kcc::fma(g, x, y), h = kcc::fma(h, x, y), i = kcc::fma(i, x, y), j = kcc::fma(j, x, y), k = kcc::fma(k, x, y), l = kcc::fma(l, x, y);
  }
  const double time = now() - start;
  asm volatile("" ::"v"(a + b + c + d), "v"(e + f + g + h), "v"(i + j + k + l));
  return 2.0 * 12 * KCC_VW * rounds / time;
}

static double peak_of(BenchPool& pool) {
  double rates[64] = {};
  kcc::parallel(&pool, pool.threads, [&](int64_t t) { rates[t] = fma_rate(100000); });
  double sum = 0;
  for (double r : rates) sum += r;
  return sum;
}

// ---- epilogues

struct Buffers {
  const float* bias;
  float *out, *weight, *slot;
  const float* kept;
  int64_t n, step;
  float rate;
};

template <class Body> static void each_vector(const float* sums, int64_t stride, int64_t row, int64_t column, int64_t rows, int64_t columns, const Body& body) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t j = 0; j < columns; j += KCC_VW)
      body(row + r, column + j, columns - j, columns - j >= KCC_VW ? kcc::load(sums + r * stride + j) : kcc::load(sums + r * stride + j, columns - j));
}
#define FINISH(name) \
  static void name(const Contraction& self, const float* sums, int64_t stride, int64_t row, int64_t column, int64_t rows, int64_t columns)
#define EACH_VECTOR each_vector(sums, stride, row, column, rows, columns, [&](int64_t r, int64_t j, int64_t left, vf x)

static inline vf get(const float* p, int64_t left) { return left >= KCC_VW ? kcc::load(p) : kcc::load(p, left); }
static inline void put(float* p, vf x, int64_t left) {
  if (left >= KCC_VW) kcc::store(p, x);
  else kcc::store(p, x, left);
}

FINISH(plain) {
  const Buffers b = *static_cast<const Buffers*>(self.args);
  EACH_VECTOR { put(b.out + r * b.n + j, x, left); });
}
FINISH(with_bias) {
  const Buffers b = *static_cast<const Buffers*>(self.args);
  EACH_VECTOR { put(b.out + r * b.n + j, x + get(b.bias + j, left), left); });
}
FINISH(bias_relu) {
  const Buffers b = *static_cast<const Buffers*>(self.args);
  EACH_VECTOR { put(b.out + r * b.n + j, kcc::relu(x + get(b.bias + j, left)), left); });
}
FINISH(bias_relu_dropout) {
  const Buffers b = *static_cast<const Buffers*>(self.args);
  kcc::RandomStream random(7, 1, (uint64_t)b.step);
  EACH_VECTOR {
    const vf u = random.vector(r * b.n + j);
    const vf y = kcc::relu(x + get(b.bias + j, left)) * 1.25f;
    put(b.out + r * b.n + j, kcc::select(u >= 0.2f, y, vf{}), left);
  });
}
// The gradient passes where relu and dropout let the value through.
FINISH(masked) {
  const Buffers b = *static_cast<const Buffers*>(self.args);
  EACH_VECTOR { put(b.out + r * b.n + j, kcc::select(get(b.kept + r * b.n + j, left) > 0.f, x * 1.25f, vf{}), left); });
}
static inline void rmsprop(float* weight, float* slot, vf g, float rate, int64_t left) {
  const vf a = get(slot, left) * 0.9f + g * g * 0.1f;
  put(slot, a, left);
  put(weight, get(weight, left) - rate * g / (kcc::sqrt(a) + 1e-7f), left);
}
FINISH(updated) {
  const Buffers b = *static_cast<const Buffers*>(self.args);
  EACH_VECTOR { rmsprop(b.weight + r * b.n + j, b.slot + r * b.n + j, x, b.rate, left); });
}

// ---- a stack of dense layers

struct Dense {
  int64_t in, out;
  float *w, *b, *sw, *sb, *y, *dy;
  Dense(int64_t batch, int64_t in_, int64_t out_) : in(in_), out(out_) {
    w = floats(in * out, 0.1f), b = floats(out), sw = floats(in * out, 0), sb = floats(out, 0);
    y = floats(batch * out), dy = floats(batch * out);
  }
};

struct Mlp {
  int64_t batch;
  float* x;
  std::vector<Dense> layers;
  bool dropout;
  char* workspace;
  int64_t step = 0;

  Mlp(int64_t batch_, std::vector<int64_t> sizes, bool dropout_) : batch(batch_), dropout(dropout_) {
    x = floats(batch * sizes[0], 1);
    for (size_t i = 1; i < sizes.size(); ++i) layers.emplace_back(batch, sizes[i - 1], sizes[i]);
    workspace = (char*)floats(1 << 21);
  }
  const float* input(size_t i) const { return i == 0 ? x : layers[i - 1].y; }
  void forward(int64_t m, bool training, kcc_pool* pool) {
    for (size_t i = 0; i < layers.size(); ++i) {
      Dense& d = layers[i];
      const bool last = i + 1 == layers.size();
      const Buffers b{d.b, d.y, nullptr, nullptr, nullptr, d.out, step, 0};
      Contraction c{m, d.out, d.in, {input(i), d.in, 1}, {d.w, d.out, 1}};
      c.finish = last ? with_bias : training && dropout ? bias_relu_dropout : bias_relu;
      c.args = &b, c.pool = pool, c.workspace = workspace;
      kcc::contract(c);
    }
  }
  // Softmax cross-entropy against class (row % classes), or squared error for one output.
  void seed(kcc_pool* pool) {
    Dense& d = layers.back();
    kcc::parallel(batch >= 64 ? pool : nullptr, 8, [&](int64_t part) {
      for (int64_t r = batch * part / 8; r < batch * (part + 1) / 8; ++r) {
        if (d.out == 1) { d.dy[r] = 2.f / (float)batch * (d.y[r] - 1.f); continue; }
        const vf y = kcc::load(d.y + r * d.out, d.out < KCC_VW ? d.out : KCC_VW);
        const vf e = kcc::select(kcc::first_lanes(d.out), kcc::exp(y - kcc::hmax(kcc::select(kcc::first_lanes(d.out), y, kcc::bcast(-1e30f)))), vf{});
        const vf one = kcc::select(kcc::iota() == kcc::bcast((int32_t)(r % d.out)), kcc::bcast(1.f), vf{});
        kcc::store(d.dy + r * d.out, (e / kcc::hsum(e) - one) * (1.f / (float)batch), d.out < KCC_VW ? d.out : KCC_VW);
      }
    });
  }
  void backward(kcc_pool* pool) {
    for (size_t i = layers.size(); i-- > 0;) {
      Dense& d = layers[i];
      if (i > 0) {
        Dense& before = layers[i - 1];
        Buffers b{};
        b.out = before.dy, b.kept = before.y, b.n = d.in;
        Contraction c{batch, d.in, d.out, {d.dy, d.out, 1}, {d.w, 1, d.out}};
        c.finish = masked, c.args = &b, c.pool = pool, c.workspace = workspace;
        kcc::contract(c);
      }
      Buffers b{};
      b.weight = d.w, b.slot = d.sw, b.n = d.out, b.rate = 1e-3f;
      Contraction c{d.in, d.out, batch, {input(i), 1, d.in}, {d.dy, d.out, 1}};
      c.finish = updated, c.args = &b, c.pool = pool, c.workspace = workspace;
      c.touched[0] = {d.w, d.out};
      c.touched[1] = {d.sw, d.out};
      kcc::contract(c);
      update_bias(d);
    }
  }
  void update_bias(Dense& d) {
    for (int64_t j = 0; j < d.out; j += KCC_VW) {
      vf sum{};
      for (int64_t r = 0; r < batch; ++r) sum += get(d.dy + r * d.out + j, d.out - j);
      rmsprop(d.b + j, d.sb + j, sum, 1e-3f, d.out - j);
    }
  }
  void train(kcc_pool* pool) {
    step++;
    forward(batch, true, pool);
    seed(pool);
    backward(pool);
  }
  double flop() const {
    double sum = 0;
    for (size_t i = 0; i < layers.size(); ++i) sum += (i == 0 ? 4.0 : 6.0) * (double)(batch * layers[i].in * layers[i].out);
    return sum;
  }
};

// ---- measuring

struct Candidate {
  std::string name;
  double flop;
  int repeats;
  std::function<void()> run;
  std::vector<double> times;
};

enum class Form { NN, NT, TN };

static Candidate shape(Form form, int64_t m, int64_t n, int64_t k, kcc_pool* pool) {
  auto b = std::make_shared<Buffers>();
  b->bias = floats(n), b->out = floats(m * n), b->n = n;
  Contraction c{m, n, k, {floats(m * k), k, 1}, {floats(k * n), n, 1}};
  if (form == Form::NT) c.rhs.row_stride = 1, c.rhs.column_stride = k;
  if (form == Form::TN) c.lhs.row_stride = 1, c.lhs.column_stride = m;
  c.finish = form == Form::NN ? bias_relu : plain;
  c.args = b.get(), c.pool = pool, c.workspace = (char*)floats((m + 2 * n + 128) * (k + 1));
  const char* names[] = {"NN", "NT", "TN"};
  char name[64];
  snprintf(name, sizeof name, "%s %dx%dx%d", names[(int)form], (int)m, (int)n, (int)k);
  const double flop = 2.0 * (double)m * (double)n * (double)k;
  return {name, flop, (int)std::clamp(5e7 / flop, 1.0, 2000.0), [b, c] { kcc::contract(c); }, {}};
}

static double quartile(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 4];
}

int main(int argc, char** argv) {
  const int threads = argc > 1 ? atoi(argv[1]) : 1;
  const int rounds = argc > 2 ? atoi(argv[2]) : 21;
  flush_denormals();
  own_time = threads == 1;
  BenchPool pool(threads);
  kcc_pool* p = threads > 1 ? &pool : nullptr;
  std::vector<Candidate> all;
  for (auto [m, n, k] : std::vector<std::array<int64_t, 3>>{{128, 512, 784}, {128, 512, 512}, {128, 10, 512}, {32, 32, 100}, {128, 64, 64}, {64, 512, 384}, {16, 512, 128}, {1024, 1024, 1024}})
    all.push_back(shape(Form::NN, m, n, k, p));
  for (auto [m, n, k] : std::vector<std::array<int64_t, 3>>{{128, 512, 512}, {128, 512, 10}, {128, 64, 64}, {1024, 1024, 1024}})
    all.push_back(shape(Form::NT, m, n, k, p));
  for (auto [m, n, k] : std::vector<std::array<int64_t, 3>>{{784, 512, 128}, {512, 512, 128}, {512, 10, 128}, {100, 32, 32}, {1024, 1024, 1024}})
    all.push_back(shape(Form::TN, m, n, k, p));
  Mlp mnist(128, {784, 512, 512, 10}, true), tiny(32, {100, 32, 1}, false);
  all.push_back({"mnist-mlp training step", mnist.flop(), 8, [&] { mnist.train(p); }, {}});
  all.push_back({"mnist-mlp predict, 1 row", mnist.flop() / 128 / 3, 50, [&] { mnist.forward(1, false, p); }, {}});
  all.push_back({"100-32-1 training step, 32 rows", tiny.flop(), 500, [&] { tiny.train(p); }, {}});
  all.push_back({"100-32-1 predict, 1 row", tiny.flop() / 96, 2000, [&] { tiny.forward(1, false, p); }, {}});
  std::vector<double> peaks;
  for (int round = 0; round < rounds; ++round) {
    for (Candidate& c : all) {
      if (c.name.find("1024x") == std::string::npos || round % 4 == 0) {
        c.run();
        const double start = now();
        for (int i = 0; i < c.repeats; ++i) c.run();
        c.times.push_back((now() - start) / c.repeats);
      }
    }
    peaks.push_back(-peak_of(pool));
  }
  const double peak = -*std::min_element(peaks.begin(), peaks.end());
  printf("%d threads, %d lanes, FMA peak %.1f GFLOP/s\n", threads, KCC_VW, peak / 1e9);
  for (Candidate& c : all) {
    const double time = quartile(c.times), best = *std::min_element(c.times.begin(), c.times.end());
    printf("%-32s %10.2f us %8.1f GFLOP/s %6.1f %%   best %10.2f us %6.1f %%\n", c.name.c_str(), time * 1e6, c.flop / time / 1e9, 100 * c.flop / time / peak,
           best * 1e6, 100 * c.flop / best / peak);
  }
}
