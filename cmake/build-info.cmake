# What a binary says of itself. The commit stands in a file of its own that changes only when the commit
# does, so that a build compiles and links nothing for its sake.
set(commit_source ${CMAKE_BINARY_DIR}/catalogs/commit.cpp)
add_custom_target(attnspan_commit BYPRODUCTS ${commit_source}
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR} -DOUTPUT=${commit_source}
          -P ${CMAKE_SOURCE_DIR}/cmake/write-commit.cmake
  VERBATIM)
target_sources(attnspan PRIVATE ${commit_source})
add_dependencies(attnspan attnspan_commit)

string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
string(JOIN " " flags ${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${build_type}})
set_source_files_properties(src/cli/build_info.cpp PROPERTIES COMPILE_DEFINITIONS
  "ATTNSPAN_VERSION=\"${PROJECT_VERSION}\";ATTNSPAN_FLAGS=\"${flags}\"")
