// ProcessGroupGloo.hpp includes this header and names nothing of it.
#pragma once
