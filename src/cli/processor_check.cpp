// Runs before main and before every static initialiser: a program compiled for AVX2 would otherwise
// die of an illegal instruction, without a word, on a processor that has none.

#if defined(__x86_64__) && defined(__AVX2__)

#include <unistd.h>

namespace {

// The function itself must not use what it asks for.
__attribute__((constructor(101), target("no-avx"))) void check_processor() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return;
  static const char message[] =
      "attnspan: this program was built for processors with AVX2, and this one has none; build it "
      "here, or with -DATTNSPAN_ARCHITECTURE=x86-64.\n";
  (void)!::write(STDERR_FILENO, message, sizeof message - 1);
  ::_exit(1);
}

}  // namespace

#endif
