#include "default_generators.h"

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>

#include "../accelerator/accelerator.h"
#include "../environment.h"

namespace aiforge {

namespace {

// Recursive, since an operator that draws may call a hook that does.
std::recursive_mutex& mutex() {
  static auto* mutex = new std::recursive_mutex();
  return *mutex;
}

Environment* owner = nullptr;
bool anybody_drew = false;

std::vector<at::Generator> device_generators() {
  std::vector<at::Generator> generators;
  const auto accelerator = at::getAccelerator();
  for (c10::DeviceIndex i = 0; accelerator && i < device_count(); ++i) {
    generators.push_back(at::globalContext().defaultGenerator(c10::Device(*accelerator, i)));
  }
  return generators;
}

at::CPUGeneratorImpl* cpu_generator(const at::Generator& generator) {
  return generator.get<at::CPUGeneratorImpl>();
}

void put_away(DefaultGenerators& states) {
  const at::Generator& shared = at::detail::getDefaultCPUGenerator();
  at::CPUGeneratorImpl* cpu = cpu_generator(shared);
  states.cpu = {cpu->engine(), cpu->next_float_normal_sample(), cpu->next_double_normal_sample()};
  states.devices.clear();
  for (at::Generator& generator : device_generators()) {
    const std::lock_guard<std::mutex> lock(generator.mutex());
    states.devices.push_back(generator.get_state());
  }
}

void seed_from_system(at::Generator generator) {
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.seed();
}

void put_back(const DefaultGenerators& states) {
  const at::Generator& shared = at::detail::getDefaultCPUGenerator();
  auto devices = device_generators();
  if (!states.cpu) {
    seed_from_system(shared);
    for (const at::Generator& generator : devices) seed_from_system(generator);
    return;
  }
  at::CPUGeneratorImpl* cpu = cpu_generator(shared);
  cpu->set_engine(states.cpu->engine);
  cpu->set_next_float_normal_sample(states.cpu->next_float_normal);
  cpu->set_next_double_normal_sample(states.cpu->next_double_normal);
  for (size_t i = 0; i < devices.size(); ++i) {
    const std::lock_guard<std::mutex> lock(devices[i].mutex());
    devices[i].set_state(states.devices[i]);
  }
}

}  // namespace

Drawing::Drawing(Environment& environment) : lock_(mutex()) {
  if (owner == &environment) return;
  if (owner != nullptr) put_away(owner->default_generators);
  // The first one takes what LibTorch seeded.
  if (anybody_drew) put_back(environment.default_generators);
  owner = &environment;
  anybody_drew = true;
}

void Drawing::end(Environment& environment) {
  const std::lock_guard<std::recursive_mutex> lock(mutex());
  if (owner == &environment) owner = nullptr;
}

}  // namespace aiforge
