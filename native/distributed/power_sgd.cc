#include "power_sgd.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <map>
#include <random>
#include <utility>
#include <vector>

namespace aiforge {

namespace {

using Tensors = std::vector<at::Tensor>;

// numpy.random.RandomState(seed).randint(1_000_000_000), from which Python draws its seeds.
class SeedSource {
 public:
  explicit SeedSource(uint32_t seed) : engine_(seed) {}

  uint64_t next() {
    constexpr uint32_t kMask = (uint32_t{1} << 30) - 1;
    uint32_t drawn = 0;
    do drawn = engine_() & kMask;
    while (drawn >= 1'000'000'000);
    return drawn;
  }

 private:
  std::mt19937 engine_;
};

void orthogonalize_by_gram_schmidt(const at::Tensor& matrices, double epsilon) {
  const int64_t columns = matrices.size(2);
  for (int64_t i = 0; i < columns; ++i) {
    const at::Tensor column = matrices.slice(2, i, i + 1);
    at::Tensor norm = at::linalg_vector_norm(column, 2, at::IntArrayRef{1}, /*keepdim=*/true);
    if (epsilon != 0) norm = norm + epsilon;
    column.div_(norm);
    if (i + 1 == columns) break;
    const at::Tensor rest = matrices.slice(2, i + 1);
    rest.sub_(at::sum(column * rest, at::IntArrayRef{1}, /*keepdim=*/true) * column);
  }
}

void orthogonalize(const at::Tensor& matrices, double epsilon) {
  const int64_t rank = matrices.size(2);
  const bool is_half =
      matrices.scalar_type() == at::kHalf || matrices.scalar_type() == at::kBFloat16;
  if (rank <= 2 || is_half) return orthogonalize_by_gram_schmidt(matrices, epsilon);
  at::Tensor q = matrices;
  at::Tensor r = at::empty({matrices.size(0), rank, rank}, matrices.options());
  at::linalg_qr_out(q, r, matrices, "reduced");
}

// The matrices of a bucket that are compressed, and their factors P and Q.
struct Factors {
  Tensors matrices;  // [batch, rows, columns], views of the bucket unless several are batched
  std::vector<Tensors> originals;  // what each batch was made of
  Tensors ps;
  Tensors qs;
};

class PowerSgdHook : public c10d::CppCommHookInterface<Group> {
 public:
  PowerSgdHook(const Group& group, const PowerSgdOptions& options)
      : CppCommHookInterface(group), options_(options), seeds_(options.random_seed) {}

  // Waits for the other ranks: if what comes after the first sum ran on the threads that complete
  // sums, as in Python, the sums of several buckets would begin in another order on each rank.
  c10::intrusive_ptr<c10::ivalue::Future> runHook(c10d::GradBucket& bucket) override {
    const at::NoGradGuard no_grad;
    if (iteration_ < options_.start_iteration) {
      if (bucket.isLast()) ++iteration_;
      average(bucket.getBufferRef());
    } else {
      compress(bucket);
      if (bucket.isLast()) ++iteration_;
    }
    const at::Tensor& averaged = bucket.getBufferRef();
    std::vector<c10::Device> devices;
    if (!averaged.is_cpu()) devices.push_back(averaged.device());
    auto result = c10::make_intrusive<c10::ivalue::Future>(c10::TensorType::get(), devices);
    result->markCompleted(averaged);
    return result;
  }

 private:
  void sum(at::Tensor tensor) {
    Tensors one{std::move(tensor)};
    state_->allreduce(one)->wait();
  }

  void average(const at::Tensor& tensor) {
    tensor.div_(state_->getSize());
    sum(tensor);
  }

  void compress(c10d::GradBucket& bucket) {
    const at::Tensor& buffer = bucket.getBufferRef();
    const size_t index = bucket.getIndex();
    const at::Tensor input = with_error(buffer, index);
    Tensors whole;
    Factors factors = divide(bucket, whole);
    for (size_t i = 0; i < factors.matrices.size(); ++i) {
      at::bmm_out(factors.ps[i], factors.matrices[i], factors.qs[i]);
    }
    average_whole(whole, buffer.options());
    sum(ps_.at(index));
    for (size_t i = 0; i < factors.matrices.size(); ++i) {
      orthogonalize(factors.ps[i], options_.orthogonalization_epsilon);
    }
    for (size_t i = 0; i < factors.matrices.size(); ++i) {
      at::bmm_out(factors.qs[i], factors.matrices[i].transpose(1, 2), factors.ps[i]);
    }
    sum(qs_.at(index));
    qs_.at(index).div_(state_->getSize());
    decompress(factors);
    if (options_.use_error_feedback) errors_[index] = input - buffer;
    if (options_.warm_start) return;
    ps_.clear();
    qs_.clear();
  }

  // Adds what the last compression lost to the gradients; returns a copy of them.
  at::Tensor with_error(const at::Tensor& buffer, size_t index) {
    if (!options_.use_error_feedback) return {};
    const auto error = errors_.find(index);
    if (error != errors_.end()) buffer.add_(error->second);
    return buffer.detach().clone();
  }

  int64_t rank_of(int64_t rows, int64_t columns) const {
    return std::min({rows, columns, options_.matrix_approximation_rank});
  }

  bool is_worth_it(int64_t rows, int64_t columns) const {
    const auto compressed = static_cast<double>((rows + columns) * rank_of(rows, columns));
    return compressed * options_.min_compression_rate < static_cast<double>(rows * columns);
  }

  // Divides the gradients of a bucket into matrices to compress and those that go as they are.
  Factors divide(c10d::GradBucket& bucket, Tensors& whole) {
    std::vector<Tensors> shapes;  // matrices of one shape together, as they first come
    int64_t p_size = 0;
    int64_t q_size = 0;
    for (const at::Tensor& gradient : bucket.getGradients()) {
      const at::Tensor matrix = gradient.view({gradient.dim() == 0 ? 1 : gradient.size(0), -1});
      const int64_t rows = matrix.size(0);
      const int64_t columns = matrix.size(1);
      if (!is_worth_it(rows, columns)) {
        whole.push_back(gradient);
        continue;
      }
      p_size += rows * rank_of(rows, columns);
      q_size += columns * rank_of(rows, columns);
      const auto same = std::find_if(shapes.begin(), shapes.end(), [&](const Tensors& each) {
        return each[0].sizes() == matrix.sizes();
      });
      if (same == shapes.end()) {
        shapes.push_back({matrix});
      } else {
        same->push_back(matrix);
      }
    }
    return factorize(bucket, batches(shapes), p_size, q_size);
  }

  std::vector<Tensors> batches(std::vector<Tensors>& shapes) const {
    if (options_.batch_tensors_with_same_shape) return std::move(shapes);
    std::vector<Tensors> single;
    for (const Tensors& each : shapes) {
      for (const at::Tensor& matrix : each) single.push_back({matrix});
    }
    return single;
  }

  Factors factorize(const c10d::GradBucket& bucket, std::vector<Tensors> batches, int64_t p_size,
                    int64_t q_size) {
    const size_t index = bucket.getIndex();
    const bool is_new = !options_.warm_start || ps_.count(index) == 0;
    if (is_new) {
      ps_[index] = at::empty({p_size}, bucket.getBuffer().options());
      qs_[index] = at::empty({q_size}, bucket.getBuffer().options());
    }
    Factors factors;
    int64_t p_begin = 0;
    int64_t q_begin = 0;
    const auto take = [](const at::Tensor& memory, int64_t& begin, at::IntArrayRef shape) {
      const int64_t count = shape[0] * shape[1] * shape[2];
      begin += count;
      return memory.slice(0, begin - count, begin).view(shape);
    };
    for (Tensors& batch : batches) {
      const auto size = static_cast<int64_t>(batch.size());
      const int64_t rows = batch[0].size(0);
      const int64_t columns = batch[0].size(1);
      const int64_t rank = rank_of(rows, columns);
      factors.matrices.push_back(size == 1 ? batch[0].unsqueeze(0) : at::stack(batch));
      factors.ps.push_back(take(ps_[index], p_begin, {size, rows, rank}));
      factors.qs.push_back(take(qs_[index], q_begin, {size, columns, rank}));
    }
    factors.originals = std::move(batches);
    begin_qs(factors.qs, is_new);
    return factors;
  }

  void begin_qs(const Tensors& qs, bool is_new) {
    at::Generator generator;
    // One seed even where nothing is compressed.
    if (is_new) generator = at::detail::createCPUGenerator(seeds_.next());
    for (const at::Tensor& q : qs) {
      if (is_new) {
        q.copy_(at::randn(q.sizes(), generator, q.options().device(at::kCPU)));
      }
      orthogonalize(q, options_.orthogonalization_epsilon);
    }
  }

  void average_whole(const Tensors& whole, const at::TensorOptions& options) {
    Tensors flat;
    for (const at::Tensor& each : whole) flat.push_back(each.view(-1));
    const at::Tensor memory = flat.empty() ? at::empty({0}, options) : at::cat(flat);
    sum(memory);
    memory.div_(state_->getSize());
    int64_t begin = 0;
    for (const at::Tensor& each : whole) {
      each.copy_(memory.slice(0, begin, begin + each.numel()).view_as(each));
      begin += each.numel();
    }
  }

  static void decompress(const Factors& factors) {
    for (size_t i = 0; i < factors.matrices.size(); ++i) {
      at::Tensor matrix = factors.matrices[i];
      at::bmm_out(matrix, factors.ps[i], factors.qs[i].transpose(1, 2));
      const Tensors& originals = factors.originals[i];
      if (originals.size() == 1) continue;
      for (size_t k = 0; k < originals.size(); ++k) {
        originals[k].copy_(matrix[static_cast<int64_t>(k)]);
      }
    }
  }

  const PowerSgdOptions options_;
  SeedSource seeds_;
  int64_t iteration_ = 0;
  // By the buckets' numbers.
  std::map<size_t, at::Tensor> errors_;
  std::map<size_t, at::Tensor> ps_;
  std::map<size_t, at::Tensor> qs_;
};

}  // namespace

std::unique_ptr<c10d::CommHookInterface> make_power_sgd_hook(const Group& group,
                                                             const PowerSgdOptions& options) {
  return std::make_unique<PowerSgdHook>(group, options);
}

}  // namespace aiforge
