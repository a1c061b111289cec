# Run on every build: writes OUTPUT, if it has to change, with the commit that SOURCE is at.
cmake_minimum_required(VERSION 3.25)
set(commit "unknown")
if(EXISTS ${SOURCE}/.git)
  execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                  OUTPUT_VARIABLE described RESULT_VARIABLE failed ERROR_QUIET
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT failed)
    set(commit ${described})
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "// Generated on every build.
#include \"cli/commit.hpp\"

namespace attnspan {

const char* build_commit() { return \"${commit}\"; }

}  // namespace attnspan
")
