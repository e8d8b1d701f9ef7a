// std::condition_variable whose `wait` is found in every libstdc++ that a prebuilt addon meets. To
// be included where `wait` is called.
#pragma once

#include <condition_variable>

#if defined(__GLIBCXX__) && defined(__x86_64__)
// GCC 12 gave this function a second version. The first one does the same and is also in the
// libstdc++ of GCC 11.
#define AIFORGE_WAIT "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE"
__asm__(".symver " AIFORGE_WAIT ", " AIFORGE_WAIT "@GLIBCXX_3.4.11");
#undef AIFORGE_WAIT
#endif
