// Tensors on their way from one thread's environment to another's.
#pragma once

namespace aiforge {

class Environment;

// An environment ends: what it shared can be received no more. What it transferred belongs to the
// message that carries the token and waits on.
void end_sharing(const Environment* environment);

}  // namespace aiforge
