// Addresses that c10d describes by their numbers alone.
#pragma once

namespace aiforge {

// For the lines of its log c10d asks the name server for the name of every address that it connects
// to or accepts, and waits for the answer: seconds, and for every rank, where that server is slow
// or not there. Has LibTorch ask for numbers instead.
void describe_addresses_by_numbers();

}  // namespace aiforge
