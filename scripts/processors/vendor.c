// Loaded before LibTorch. MKL asks these whether the processor is Intel's, and takes other kernels where it is not.
int mkl_serv_intel_cpu(void) { return INTEL; }
int mkl_serv_intel_cpu_true(void) { return INTEL; }
